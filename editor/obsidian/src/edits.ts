// Changes that khojd proposes, made through Obsidian so that open editors stay right.
import { TFile, type App, type Editor, type MarkdownView } from "obsidian";
import type { Position, Range } from "khojd-common/protocol";

import { within, type Notes } from "./notes";
import type { Paths } from "./paths";

export interface TextEdit {
  range: Range;
  newText: string;
}

interface TextChange {
  textDocument: { uri: string; version?: number | null };
  edits: TextEdit[];
}

interface Creation {
  kind: "create";
  uri: string;
  options?: { ignoreIfExists?: boolean; overwrite?: boolean };
}

/** What is used of a WorkspaceEdit, by the capabilities that we announce. */
export interface WorkspaceEdit {
  documentChanges?: (Creation | TextChange)[];
}

/** The result of workspace/applyEdit. */
export interface Applied {
  applied: boolean;
  failureReason?: string;
}

/** Text that was made for another version of a note, or for a file that cannot be changed here. */
class Refusal extends Error {}

/** Makes changes; first it looks whether all can be made. */
export class Edits {
  constructor(
    private readonly app: App,
    private readonly paths: Paths,
    private readonly notes: Notes,
    /** An open note that khojd was told of, with what is in the editor by now. */
    private readonly told: (uri: string) => { version: number; view: MarkdownView } | undefined,
  ) {}

  /** Make all changes of an edit, or say why none is made. */
  async apply(edit: WorkspaceEdit): Promise<Applied> {
    const changes = edit.documentChanges ?? [];
    try {
      const made = new Set<string>();
      for (const change of changes) {
        if ("kind" in change) made.add(this.creatable(change));
        else await this.check(change, made);
      }
      for (const change of changes) {
        if ("kind" in change) await this.create(change);
        else await this.change(change);
      }
      return { applied: true };
    } catch (failure) {
      return { applied: false, failureReason: failure instanceof Error ? failure.message : String(failure) };
    }
  }

  private async check({ textDocument: { uri, version } }: TextChange, made: ReadonlySet<string>): Promise<void> {
    const path = this.path(uri);
    if (made.has(path)) return;
    const file = this.file(path);
    const ours = this.told(this.paths.uri(path));
    if (typeof version === "number" && version !== ours?.version) throw new Refusal(`${path} was changed meanwhile`);
    const editor = ours === undefined ? this.notes.editor(file) : undefined;
    // khojd has read the file; an editor that it knows nothing of may hold more.
    if (editor !== undefined && editor.getValue() !== (await this.app.vault.read(file)).replace(/\r\n?/g, "\n")) {
      throw new Refusal(`${path} has changes that are not saved yet: try again in a moment`);
    }
  }

  private async change({ textDocument: { uri }, edits }: TextChange): Promise<void> {
    const file = this.file(this.path(uri));
    const editor: Editor | undefined = this.told(this.paths.uri(file.path))?.view.editor ?? this.notes.editor(file);
    if (editor === undefined) {
      await this.app.vault.process(file, (text) => edited(text, edits));
      return;
    }
    const changes = backwards(edits).map(({ range, newText }) => ({
      from: within(editor, range.start),
      to: within(editor, range.end),
      text: newText,
    }));
    editor.transaction({ changes });
  }

  private creatable({ uri, options }: Creation): string {
    const path = this.path(uri);
    const there = this.app.vault.getAbstractFileByPath(path);
    if (there !== null && !(there instanceof TFile && options?.ignoreIfExists === true)) throw new Refusal(`${path} is there already`);
    return path;
  }

  private async create({ uri }: Creation): Promise<void> {
    const path = this.path(uri);
    if (this.app.vault.getAbstractFileByPath(path) !== null) return;
    const folder = path.split("/").slice(0, -1).join("/");
    if (folder !== "" && this.app.vault.getAbstractFileByPath(folder) === null) await this.app.vault.createFolder(folder);
    await this.app.vault.create(path, "");
  }

  private path(uri: string): string {
    const path = this.paths.inside(uri);
    if (path === undefined) throw new Refusal(`${uri} is not in this vault`);
    return path;
  }

  private file(path: string): TFile {
    const file = this.app.vault.getFileByPath(path);
    if (file === null) throw new Refusal(`${path} is not there`);
    return file;
  }
}

/** A text after edits, none of which overlap. */
export function edited(text: string, edits: readonly TextEdit[]): string {
  const starts = lineStarts(text);
  return backwards(edits).reduce((made, { range, newText }) => {
    const from = offset(text, starts, range.start);
    const to = offset(text, starts, range.end);
    return made.slice(0, from) + newText + made.slice(to);
  }, text);
}

/** The last one first, so that none moves another; of insertions at one place the last one first, too. */
function backwards(edits: readonly TextEdit[]): TextEdit[] {
  const order = edits.map((edit, index) => ({ edit, index }));
  order.sort((one, other) => compare(other.edit.range.start, one.edit.range.start) || other.index - one.index);
  return order.map(({ edit }) => edit);
}

function compare(one: Position, other: Position): number {
  return one.line - other.line || one.character - other.character;
}

/** Lines end at LF, CRLF and CR, as LSP has it. */
function lineStarts(text: string): number[] {
  return [0, ...Array.from(text.matchAll(/\r\n|\n|\r/g), (end) => end.index + end[0].length)];
}

function offset(text: string, starts: readonly number[], { line, character }: Position): number {
  const start = starts[line];
  if (start === undefined) return text.length;
  const next = starts[line + 1] ?? text.length;
  const end = next - (/\r?\n$|\r$/.exec(text.slice(start, next))?.[0].length ?? 0);
  return Math.min(start + character, end);
}
