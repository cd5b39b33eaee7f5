// What of the editor a question can be about: the selection, else the note.
import { name } from "khojd-common/answer";
import { lastLine } from "khojd-common/links";
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
  const [first, last] = [selection.start.line + 1, lastLine(selection) + 1];
  const lines = last === first ? `${last}` : `${first}–${last}`;
  return { label: `${file}:${lines}`, place: { textDocument, range: spanOf(selection) } };
}
