// Showing a place of a note: in the editor, at the range, with what was found marked.
import { lastLine } from "khojd-common/links";
import type { Location } from "khojd-common/protocol";
import * as vscode from "vscode";

import { rangeOf, uriOf } from "./hits";

export interface ShowOptions {
  /** Beside the editor at hand. */
  beside?: boolean;
  /** Leave the keyboard where it is, and have the next such look replace this one. */
  look?: boolean;
  /** Texts within the range that are marked more strongly. */
  marks?: readonly string[];
}

const passage = vscode.window.createTextEditorDecorationType({
  backgroundColor: new vscode.ThemeColor("editor.rangeHighlightBackground"),
  isWholeLine: true,
});
const word = vscode.window.createTextEditorDecorationType({
  backgroundColor: new vscode.ThemeColor("editor.findMatchHighlightBackground"),
  overviewRulerColor: new vscode.ThemeColor("editorOverviewRuler.findMatchForeground"),
  overviewRulerLane: vscode.OverviewRulerLane.Center,
});
const MOST_MARKS = 200;

let marked: vscode.TextEditor | undefined;

/**
 * Show a place; a PDF file by whatever shows those. The marks stay until the cursor moves, the text changes, or another place is
 * shown.
 */
export async function show(location: Location, options: ShowOptions = {}): Promise<vscode.TextEditor | undefined> {
  const uri = uriOf(location);
  if (!isText(uri)) {
    if (options.look !== true) await vscode.commands.executeCommand("vscode.open", uri);
    return undefined;
  }
  const document = await vscode.workspace.openTextDocument(uri);
  const range = document.validateRange(rangeOf(location.range));
  const editor = await vscode.window.showTextDocument(document, {
    preserveFocus: options.look === true,
    preview: options.look === true,
    selection: new vscode.Range(range.start, range.start),
    ...(options.beside === true ? { viewColumn: vscode.ViewColumn.Beside } : {}),
  });
  editor.revealRange(range, vscode.TextEditorRevealType.InCenterIfOutsideViewport);
  mark(editor, range, options.marks ?? []);
  return editor;
}

function isText(uri: vscode.Uri): boolean {
  return !/\.pdf$/i.test(uri.path);
}

/** Mark a range of an editor, and nothing else. */
function mark(editor: vscode.TextEditor, range: vscode.Range, marks: readonly string[]): void {
  unmark();
  marked = editor;
  editor.setDecorations(passage, [new vscode.Range(range.start.line, 0, lastLine(range), 0)]);
  editor.setDecorations(word, places(editor.document, range, marks));
}

/** Where the texts stand within a range; differences of case do not count. */
export function places(document: vscode.TextDocument, range: vscode.Range, marks: readonly string[]): vscode.Range[] {
  const wanted = marks.filter((text) => text.trim() !== "");
  if (wanted.length === 0) return [];
  const pattern = new RegExp(wanted.map((text) => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&").replace(/\s+/g, "\\s+")).join("|"), "giu");
  const start = document.offsetAt(range.start);
  const found: vscode.Range[] = [];
  for (const match of document.getText(range).matchAll(pattern)) {
    const from = start + match.index;
    found.push(new vscode.Range(document.positionAt(from), document.positionAt(from + match[0].length)));
    if (found.length === MOST_MARKS) break;
  }
  return found;
}

/** Take the marks away. */
export function unmark(): void {
  marked?.setDecorations(passage, []);
  marked?.setDecorations(word, []);
  marked = undefined;
}

/** Take marks away when a person goes on; the result ends that. */
export function forgetMarks(): vscode.Disposable {
  const moved = vscode.window.onDidChangeTextEditorSelection((change) => {
    const { kind, textEditor } = change;
    if (textEditor === marked && kind !== undefined && kind !== vscode.TextEditorSelectionChangeKind.Command) unmark();
  });
  const edited = vscode.workspace.onDidChangeTextDocument((change) => {
    if (change.document === marked?.document && change.contentChanges.length > 0) unmark();
  });
  return vscode.Disposable.from(moved, edited, passage, word);
}

/** What was in the editor before places were looked at, so that it can be there again. */
export class Before {
  private readonly editor = vscode.window.activeTextEditor;
  private readonly selections = this.editor?.selections;
  private readonly visible = this.editor?.visibleRanges[0];
  private readonly tabs = new Set(vscode.window.tabGroups.all.flatMap((group) => group.tabs.map(key)));

  /** Show what was there, and close what was opened only to be looked at. */
  async restore(): Promise<void> {
    unmark();
    try {
      await this.bring();
    } catch {
      // It was closed or deleted meanwhile: there is nothing to go back to.
    }
  }

  private async bring(): Promise<void> {
    if (this.editor !== undefined) {
      const { document, viewColumn } = this.editor;
      const editor = await vscode.window.showTextDocument(document, viewColumn === undefined ? {} : { viewColumn, preview: false });
      if (this.selections !== undefined) editor.selections = this.selections;
      if (this.visible !== undefined) editor.revealRange(this.visible, vscode.TextEditorRevealType.AtTop);
    }
    const tabs = vscode.window.tabGroups.all.flatMap((group) => group.tabs);
    const opened = tabs.filter((tab) => tab.isPreview && !this.tabs.has(key(tab)));
    if (opened.length > 0) await vscode.window.tabGroups.close(opened);
  }
}

function key(tab: vscode.Tab): string {
  const place = tab.input instanceof vscode.TabInputText ? tab.input.uri.toString() : tab.label;
  return `${tab.group.viewColumn}:${place}`;
}
