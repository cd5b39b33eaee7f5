// The commands that find something while a person types.
import { Grep, Search } from "khojd-common/search";
import * as path from "node:path";
import * as vscode from "vscode";

import { addressOf, ofHit, ofMatch, type Found } from "./hits";
import type { Host } from "./host";
import { insertLink, Picker, type PickerOptions } from "./picker";
import * as settings from "./settings";

const SIGNS = "words and filters: tag:work, todo:NEXT, date:\"last week\"";
const GREP_DELAY = 150;
const GREP_LIMIT = 200;

export interface Scope {
  /** What is searched, for the title. */
  name: string;
  folders: readonly string[];
  /** One note, of which each passage may be found. */
  note: boolean;
}

/** Search in all notes, or in a scope; the result is the list, which is open. */
export function search(host: Host, scope?: Scope, text = selected(), then?: (found: Found) => Promise<unknown>): Picker {
  const { delay, limit } = settings.search();
  const picker = new Picker(host, {
    title: scope === undefined ? (then === undefined ? "Search notes" : "Link to") : `Search in ${scope.name}`,
    placeholder: SIGNS,
    text,
    known: () => host.values.get(),
    ...(then === undefined ? {} : { then }),
  } satisfies PickerOptions);
  picker.show(new Search(host.channel, {
    delay,
    limit,
    folders: scope?.folders ?? [],
    allPassages: scope?.note ?? false,
    show: (result, whole) => { picker.found(result.hits.map(ofHit), whole, result.notes); },
    fail: (message) => { picker.failed(message); },
  }));
  return picker;
}

/** Lines of notes that match a regular expression. */
export function grep(host: Host, text = selected()): Picker {
  const picker = new Picker(host, { title: "Grep notes", placeholder: "a regular expression (RE2); without capitals it ignores case", text });
  picker.show(new Grep(host.channel, {
    delay: GREP_DELAY,
    limit: GREP_LIMIT,
    show: (result, whole) => {
      const more = result.truncated ? [`the first ${result.matches.length} lines`] : [];
      picker.found(result.matches.map(ofMatch), whole, [...more, ...result.notes]);
    },
    fail: (message) => { picker.failed(message); },
  }));
  return picker;
}

/** Search, and insert a link to what is chosen. */
export function linkTo(host: Host): Picker {
  const editor = vscode.window.activeTextEditor;
  return search(host, undefined, selected(), (found) => insertLink(host, found, editor));
}

/** The note at hand. */
export function thisNote(): Scope {
  const uri = noteUri();
  return { name: path.basename(uri.fsPath), folders: [addressOf(uri)], note: true };
}

/** The folder of the note at hand, or one that was chosen in the explorer. */
export function thisFolder(chosen?: vscode.Uri): Scope {
  const folder = chosen ?? vscode.Uri.file(path.dirname(noteUri().fsPath));
  return { name: path.basename(folder.fsPath), folders: [addressOf(folder)], note: false };
}

export function noteUri(): vscode.Uri {
  const uri = vscode.window.activeTextEditor?.document.uri;
  if (uri?.scheme !== "file") throw new Error("no note is open in the editor");
  return uri;
}

/** What is selected, in one line. */
function selected(): string {
  const editor = vscode.window.activeTextEditor;
  return editor === undefined ? "" : editor.document.getText(editor.selection).replace(/\s+/g, " ").trim().slice(0, 500);
}
