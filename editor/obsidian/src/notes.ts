// Notes as Obsidian shows them: which is at hand, and going to a place in one.
import { shell } from "electron";
import { MarkdownView, Notice, TFile, type App, type Editor, type EditorPosition } from "obsidian";
import type { Location, Position, Range } from "khojd-common/protocol";

import { mark } from "./mark";
import { absolute, type Paths } from "./paths";

/** Where a note is opened. */
export type Where = "here" | "right" | "tab";

/** A note in an editor, and where the cursor is. */
export interface AtHand {
  view: MarkdownView;
  file: TFile;
  uri: string;
  cursor: Position;
  /** What is selected, or undefined. */
  selection: Range | undefined;
}

/** The notes of the vault in the panes of Obsidian. */
export class Notes {
  constructor(
    private readonly app: App,
    private readonly paths: Paths,
  ) {}

  /** The note that was looked at last, though the focus may be in a side pane. */
  atHand(): AtHand | undefined {
    const { workspace } = this.app;
    const recent = workspace.getMostRecentLeaf()?.view;
    const view = workspace.getActiveViewOfType(MarkdownView) ?? (recent instanceof MarkdownView ? recent : undefined);
    if (!(view?.file instanceof TFile)) return undefined;
    const { editor, file } = view;
    const selection = editor.somethingSelected()
      ? { start: position(editor.getCursor("from")), end: position(editor.getCursor("to")) }
      : undefined;
    return { view, file, uri: this.paths.uri(file.path), cursor: position(editor.getCursor()), selection };
  }

  /** The file of the vault at an address, if it is there and Obsidian can show it as a note. */
  file(uri: string): TFile | undefined {
    const path = this.paths.inside(uri);
    return (path === undefined ? null : this.app.vault.getFileByPath(path)) ?? undefined;
  }

  /** Notes that are shown, in whichever window; those of panes that were not looked at yet are not loaded. */
  views(): MarkdownView[] {
    const shown = this.app.workspace.getLeavesOfType("markdown").map((leaf) => leaf.view);
    return shown.filter((view): view is MarkdownView => view instanceof MarkdownView);
  }

  /** An editor that shows a file. */
  editor(file: TFile): Editor | undefined {
    return this.views().find((view) => view.file?.path === file.path)?.editor;
  }

  /** Go to a place, and mark it. What is no note of this vault is handed to the system, which is said. */
  async open(location: Location, where: Where = "here"): Promise<void> {
    const file = this.file(location.uri);
    if (file?.extension !== "md") {
      await this.outside(location, file);
      return;
    }
    const { workspace } = this.app;
    const leaf = where === "here" ? workspace.getLeaf(false) : workspace.getLeaf(where === "right" ? "split" : "tab");
    await leaf.openFile(file, { active: true, eState: { line: location.range.start.line } });
    if (leaf.view instanceof MarkdownView) reveal(leaf.view, location.range);
  }

  private async outside(location: Location, file: TFile | undefined): Promise<void> {
    const path = absolute(location.uri);
    const line = location.range.start.line + 1;
    const why = file === undefined ? "is not in this vault" : "is no Markdown note";
    new Notice(`${this.paths.shown(path)}, line ${line}, ${why}: it is opened outside of Obsidian`);
    const problem = await shell.openPath(path);
    if (problem !== "") new Notice(`${path} cannot be opened: ${problem}`);
  }
}

/** A position of Obsidian's as LSP has it. Both count UTF-16 units. */
export function position({ line, ch }: EditorPosition): Position {
  return { line, character: ch };
}

/** A position of LSP as Obsidian has it, within the text. */
export function within(editor: Editor, { line, character }: Position): EditorPosition {
  if (line >= editor.lineCount()) return { line: editor.lastLine(), ch: editor.getLine(editor.lastLine()).length };
  return { line, ch: Math.min(character, editor.getLine(line).length) };
}

/** Select a range, bring it into sight and mark it. In reading view there is no editor to mark it in; its line was scrolled to. */
function reveal(view: MarkdownView, range: Range): void {
  if (view.getMode() !== "source") return;
  const { editor } = view;
  const from = within(editor, range.start);
  const to = within(editor, range.end);
  editor.setCursor(from);
  mark(editor, editor.posToOffset(from), editor.posToOffset(to));
  editor.scrollIntoView({ from, to }, true);
  editor.focus();
}
