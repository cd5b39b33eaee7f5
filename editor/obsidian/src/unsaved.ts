// The note at hand as it is in its editor, told to khojd before it is saved.
import type { MarkdownView, TFile } from "obsidian";
import type { Position } from "khojd-common/protocol";

import type { Connection } from "./connection";
import { position } from "./notes";

/** Milliseconds without a key before khojd is told. */
const DELAY = 100;

interface Open {
  view: MarkdownView;
  /** What the view shows as long as its text is that of `uri`: another file is loaded before we are told of it. */
  file: TFile | null;
  uri: string;
  version: number;
  /** What khojd was told last. */
  text: string;
}

/** Follows the note at hand. khojd has one note open, or none. */
export class Unsaved {
  private open: Open | undefined;
  private timer: number | undefined;

  constructor(private readonly connection: Pick<Connection, "notify">) {}

  /** Another note is at hand, or none that khojd is to be told of. */
  follow(view: MarkdownView | undefined, uri: string | undefined): void {
    if (this.open?.uri === uri && this.open?.view === view) return;
    this.leave();
    if (view === undefined || uri === undefined) return;
    this.open = { view, file: view.file, uri, version: 1, text: view.editor.getValue() };
    this.tell();
  }

  /** Something was typed. */
  changed(): void {
    window.clearTimeout(this.timer);
    this.timer = window.setTimeout(() => { this.flush(); }, DELAY);
  }

  /** Tell what is not told yet, before something is asked about the note. */
  flush(): void {
    window.clearTimeout(this.timer);
    const { open } = this;
    if (open === undefined || open.view.file !== open.file) return;
    const text = open.view.editor.getValue();
    const change = difference(open.text, text);
    if (change === undefined) return;
    open.version += 1;
    const range = { start: at(open.text, change.from), end: at(open.text, change.to) };
    open.text = text;
    this.connection.notify("textDocument/didChange", {
      textDocument: { uri: open.uri, version: open.version },
      contentChanges: [{ range, text: change.text }],
    });
  }

  /** The file has been written. */
  saved(uri: string): void {
    if (this.open?.uri !== uri) return;
    this.flush();
    this.connection.notify("textDocument/didSave", { textDocument: { uri } });
  }

  /** A new session knows nothing of what is open. */
  restore(): void {
    if (this.open === undefined || this.open.view.file !== this.open.file) return;
    this.open.text = this.open.view.editor.getValue();
    this.tell();
  }

  /** The version of an open note, by its address. */
  version(uri: string): number | undefined {
    this.flush();
    return this.open?.uri === uri ? this.open.version : undefined;
  }

  /** The note at hand is left. */
  leave(): void {
    window.clearTimeout(this.timer);
    if (this.open !== undefined) this.connection.notify("textDocument/didClose", { textDocument: { uri: this.open.uri } });
    this.open = undefined;
  }

  private tell(): void {
    if (this.open === undefined) return;
    const { uri, version, text } = this.open;
    this.connection.notify("textDocument/didOpen", { textDocument: { uri, languageId: "markdown", version, text } });
  }
}

interface Change {
  from: number;
  to: number;
  text: string;
}

/** The one stretch in which two texts differ, in UTF-16 units of the old one; no surrogate pair is cut. */
export function difference(old: string, now: string): Change | undefined {
  if (old === now) return undefined;
  const most = Math.min(old.length, now.length);
  let from = 0;
  while (from < most && old.charCodeAt(from) === now.charCodeAt(from)) from++;
  if (from > 0 && high(old.charCodeAt(from - 1))) from--;
  let same = 0;
  while (same < most - from && old.charCodeAt(old.length - 1 - same) === now.charCodeAt(now.length - 1 - same)) same++;
  if (same > 0 && low(old.charCodeAt(old.length - same))) same--;
  return { from, to: old.length - same, text: now.slice(from, now.length - same) };
}

/** Where an offset is. Editors of Obsidian have LF alone between lines. */
function at(text: string, offset: number): Position {
  const start = offset === 0 ? 0 : text.lastIndexOf("\n", offset - 1) + 1;
  let line = 0;
  for (let end = text.indexOf("\n"); end >= 0 && end < start; end = text.indexOf("\n", end + 1)) line++;
  return position({ line, ch: offset - start });
}

function high(unit: number): boolean {
  return unit >= 0xd800 && unit < 0xdc00;
}

function low(unit: number): boolean {
  return unit >= 0xdc00 && unit < 0xe000;
}
