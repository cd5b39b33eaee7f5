// What of the editor a question can be about: the selection, else the note.
import { name } from "khojd-common/answer";
import type { About } from "khojd-common/talk";
import * as vscode from "vscode";

import { addressOf, spanOf } from "../hits";

/** The selection of the editor at hand, or its note; nothing where that is no file. */
export function atHand(whole = false): About | undefined {
  const editor = vscode.window.activeTextEditor;
  if (editor?.document.uri.scheme !== "file") return undefined;
  const { document, selection } = editor;
  const file = name(document.uri.path);
  const textDocument = { uri: addressOf(document.uri) };
  if (whole || selection.isEmpty) return { label: file, place: { textDocument } };
  const { start, end } = selection;
  // A selection of whole lines ends at the start of the line behind them.
  const last = end.character === 0 && end.line > start.line ? end.line : end.line + 1;
  const lines = last === start.line + 1 ? `${last}` : `${start.line + 1}–${last}`;
  return { label: `${file}:${lines}`, place: { textDocument, range: spanOf(selection) } };
}
