// Obsidian's editor over a real CodeMirror, as Obsidian has it.
import { EditorSelection, EditorState, type Extension } from "@codemirror/state";
import { EditorView } from "@codemirror/view";
import type { EditorChange, EditorPosition, EditorRange, EditorTransaction } from "obsidian";

/** What of Obsidian's Editor the plugin may use. */
export class Editor {
  readonly cm: EditorView;

  constructor(parent: HTMLElement, text: string, extensions: readonly Extension[], changed: () => void) {
    const listener = EditorView.updateListener.of((update) => {
      if (update.docChanged) changed();
    });
    const state = EditorState.create({ doc: text, extensions: [...extensions, EditorView.lineWrapping, listener] });
    this.cm = new EditorView({ parent, state });
  }

  getValue(): string {
    return this.cm.state.doc.toString();
  }

  getSelection(): string {
    const { from, to } = this.cm.state.selection.main;
    return this.cm.state.sliceDoc(from, to);
  }

  somethingSelected(): boolean {
    return !this.cm.state.selection.main.empty;
  }

  getCursor(side: "anchor" | "from" | "head" | "to" = "head"): EditorPosition {
    return this.offsetToPos(this.cm.state.selection.main[side]);
  }

  setCursor(place: EditorPosition): void {
    this.cm.dispatch({ selection: EditorSelection.cursor(this.posToOffset(place)) });
  }

  setSelection(anchor: EditorPosition, head: EditorPosition): void {
    this.cm.dispatch({ selection: EditorSelection.range(this.posToOffset(anchor), this.posToOffset(head)) });
  }

  lineCount(): number {
    return this.cm.state.doc.lines;
  }

  lastLine(): number {
    return this.lineCount() - 1;
  }

  getLine(line: number): string {
    return this.cm.state.doc.line(line + 1).text;
  }

  posToOffset({ line, ch }: EditorPosition): number {
    return this.cm.state.doc.line(line + 1).from + ch;
  }

  offsetToPos(offset: number): EditorPosition {
    const line = this.cm.state.doc.lineAt(offset);
    return { line: line.number - 1, ch: offset - line.from };
  }

  replaceRange(text: string, from: EditorPosition, to: EditorPosition = from): void {
    this.transaction({ changes: [{ text, from, to }] });
  }

  transaction({ changes = [] }: EditorTransaction): void {
    const offset = (place: EditorPosition) => this.posToOffset(place);
    const placed = ({ text, from, to = from }: EditorChange) => ({ insert: text, from: offset(from), to: offset(to) });
    this.cm.dispatch({ changes: changes.map(placed) });
  }

  scrollIntoView({ from }: EditorRange): void {
    this.cm.dispatch({ effects: EditorView.scrollIntoView(this.posToOffset(from), { y: "center" }) });
  }

  focus(): void {
    this.cm.focus();
  }
}
