// Open notes as they are in their editors, told to khojd before they are saved.
import type { MarkdownView, TFile } from "obsidian";
import type { Position } from "khojd-common/protocol";

import type { Connection } from "./connection";
import { position } from "./notes";

/** Milliseconds without a key before khojd is told. */
const DELAY = 100;

interface Open {
  /** The view whose text it is: of several that show the note, the one that was typed in last. */
  view: MarkdownView;
  /** What the view shows as long as its text is that of the note: another file is loaded before we are told of it. */
  file: TFile | null;
  version: number;
  /** What khojd was told last. */
  text: string;
  /** Whether the editor may hold something else by now. */
  stale: boolean;
}

/** A view that shows a note, and the note's address. */
export type Shown = readonly [MarkdownView, string];

/** Follows the notes that are shown. Only what was typed in is read again. */
export class Unsaved {
  /** By address. */
  private readonly open = new Map<string, Open>();
  private timer: number | undefined;

  constructor(private readonly connection: Pick<Connection, "notify">) {}

  /** These views, with the addresses of their notes, are what khojd is told of; a note that is not among them was closed. */
  follow(views: readonly Shown[]): void {
    for (const [uri, one] of this.open) {
      const showing = views.flatMap(([view, its]) => (its === uri && view.file === one.file ? [view] : []));
      const [other] = showing;
      if (other === undefined) this.close(uri);
      else if (!showing.includes(one.view)) this.changed(other);
    }
    for (const [view, uri] of views) {
      if (this.open.has(uri)) continue;
      this.open.set(uri, { view, file: view.file, version: 1, text: view.editor.getValue(), stale: false });
      this.tell(uri);
      this.changed(view); // it may have been loading its text
    }
  }

  /** The text of a view may be another now. */
  changed(view: MarkdownView): void {
    for (const one of this.open.values()) {
      if (one.file !== view.file) continue;
      one.view = view;
      one.stale = true;
    }
    window.clearTimeout(this.timer);
    this.timer = window.setTimeout(() => { this.flush(); }, DELAY);
  }

  /** Tell what is not told yet, before something is asked about notes. */
  flush(): void {
    window.clearTimeout(this.timer);
    for (const [uri, one] of this.open) if (one.stale) this.update(uri, one);
  }

  /** The file has been written. */
  saved(uri: string): void {
    const one = this.open.get(uri);
    if (one === undefined) return;
    this.update(uri, one); // also where Obsidian has read another program's text into the editor
    this.connection.notify("textDocument/didSave", { textDocument: { uri } });
  }

  /** A new session knows nothing of what is open. */
  restore(): void {
    for (const [uri, one] of this.open) {
      if (one.view.file !== one.file) continue;
      one.text = one.view.editor.getValue();
      one.stale = false;
      this.tell(uri);
    }
  }

  /** The view of an open note and its version as khojd knows it, with what is in the editor by now. */
  current(uri: string): Pick<Open, "version" | "view"> | undefined {
    const one = this.open.get(uri);
    if (one !== undefined) this.update(uri, one);
    return one;
  }

  /** All notes are left. */
  leave(): void {
    window.clearTimeout(this.timer);
    for (const uri of [...this.open.keys()]) this.close(uri);
  }

  private update(uri: string, one: Open): void {
    if (one.view.file !== one.file) return;
    one.stale = false;
    const text = one.view.editor.getValue();
    const change = difference(one.text, text);
    if (change === undefined) return;
    one.version += 1;
    const range = { start: at(one.text, change.from), end: at(one.text, change.to) };
    one.text = text;
    this.connection.notify("textDocument/didChange", {
      textDocument: { uri, version: one.version },
      contentChanges: [{ range, text: change.text }],
    });
  }

  private tell(uri: string): void {
    const one = this.open.get(uri);
    if (one === undefined) return;
    const { version, text } = one;
    this.connection.notify("textDocument/didOpen", { textDocument: { uri, languageId: "markdown", version, text } });
  }

  private close(uri: string): void {
    this.open.delete(uri);
    this.connection.notify("textDocument/didClose", { textDocument: { uri } });
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
