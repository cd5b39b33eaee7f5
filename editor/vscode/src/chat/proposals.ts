// Changes that an answer proposes: shown beside what is there, and made after a yes.
import { name } from "khojd-common/answer";
import { unlinked } from "khojd-common/channel";
import type { ApplyResult } from "khojd-common/protocol";
import * as vscode from "vscode";

import { uriOf } from "../hits";
import type { Host } from "../host";

export const SCHEME = "khoj-proposal";

interface Proposed {
  turn: string;
  proposal: string;
  /** the whole text as it would be */
  text: string;
  /** where it is changed */
  at: vscode.Position;
}

interface TextEdit {
  range: { start: { line: number; character: number }; end: { line: number; character: number } };
  newText: string;
}

export class Proposals implements vscode.TextDocumentContentProvider, vscode.Disposable {
  private readonly proposed = new Map<string, Proposed>();
  private readonly changes = new vscode.EventEmitter<vscode.Uri>();
  readonly onDidChange = this.changes.event;
  private readonly parts: vscode.Disposable;

  constructor(private readonly host: Host) {
    this.parts = vscode.Disposable.from(
      this.changes,
      vscode.workspace.registerTextDocumentContentProvider(SCHEME, this),
      vscode.workspace.onDidCloseTextDocument((document) => {
        if (document.uri.scheme === SCHEME) this.proposed.delete(document.uri.toString());
      }),
    );
  }

  dispose(): void {
    this.parts.dispose();
  }

  provideTextDocumentContent(uri: vscode.Uri): string {
    return this.proposed.get(uri.toString())?.text ?? "";
  }

  /** Show what a change would do to the note as it is now. Nothing is changed. */
  async show(turn: string, proposal: string): Promise<void> {
    const { change, edit, uri } = await this.host.channel.request("khoj/chat/apply", { turn, proposal, editOnly: true });
    const note = uriOf({ uri });
    const there = change.create ? undefined : await vscode.workspace.openTextDocument(note);
    const made = edits(edit);
    const text = there === undefined ? change.after : changed(there, made);
    const { line, character } = made[0]?.range.start ?? { line: 0, character: 0 };
    const query = new URLSearchParams({ turn, proposal }).toString();
    const proposed = vscode.Uri.from({ scheme: SCHEME, path: note.path, query });
    this.proposed.set(proposed.toString(), { turn, proposal, text, at: new vscode.Position(line, character) });
    this.changes.fire(proposed); // it may be shown already, as it was when the note was another
    const before = there?.uri ?? vscode.Uri.from({ scheme: SCHEME, path: note.path });
    const title = `${name(change.path)} ↔ ${change.create ? "proposed note" : "proposed change"}`;
    await vscode.commands.executeCommand("vscode.diff", before, proposed, title, { preview: true });
    void vscode.window.showInformationMessage(`Make this change of ${unlinked(name(change.path))}?`, "Make It", "Leave It").then((answer) => {
      if (answer === "Make It") void vscode.commands.executeCommand("khoj.proposal.apply", proposed);
      else if (answer === "Leave It") void vscode.commands.executeCommand("khoj.proposal.discard", proposed);
    });
  }

  /** Make a change that is shown, in the editor at hand if none is named. The note is left unsaved. */
  async apply(uri = active()): Promise<ApplyResult> {
    const asked = uri === undefined ? undefined : this.proposed.get(uri.toString());
    if (uri === undefined || asked === undefined) throw new Error("no proposed change is shown here");
    const { turn, proposal, at } = asked;
    const result = await this.host.channel.request("khoj/chat/apply", { turn, proposal, confirmed: true });
    if (!result.applied) throw new Error(`the change was not made: ${result.reason}`);
    await close(uri);
    await vscode.window.showTextDocument(uriOf({ uri: result.uri }), { selection: new vscode.Range(at, at) });
    void vscode.window.setStatusBarMessage(`Khoj: ${name(result.change.path)} was changed, and is yours to save`, 8000);
    return result;
  }

  /** Do not make a change that is shown. */
  async discard(uri = active()): Promise<void> {
    await close(uri);
  }
}

/** The proposal in the editor at hand. */
function active(): vscode.Uri | undefined {
  const input = vscode.window.tabGroups.activeTabGroup.activeTab?.input;
  return input instanceof vscode.TabInputTextDiff ? input.modified : undefined;
}

async function close(uri: vscode.Uri | undefined): Promise<void> {
  const tabs = vscode.window.tabGroups.all.flatMap((group) => group.tabs);
  const wanted = uri?.toString();
  const shown = tabs.filter(({ input }) => input instanceof vscode.TabInputTextDiff && input.modified.toString() === wanted);
  await vscode.window.tabGroups.close(shown);
}

/** The text edits of a WorkspaceEdit of one note. */
function edits(edit: Record<string, unknown> | null): TextEdit[] {
  const { documentChanges = [], changes = {} } = (edit ?? {}) as {
    documentChanges?: { edits?: TextEdit[] }[];
    changes?: Record<string, TextEdit[]>;
  };
  return [...documentChanges.flatMap((one) => one.edits ?? []), ...Object.values(changes).flat()];
}

function changed(document: vscode.TextDocument, all: readonly TextEdit[]): string {
  let text = document.getText();
  const places = all.map(({ range, newText }) => ({
    from: document.offsetAt(new vscode.Position(range.start.line, range.start.character)),
    to: document.offsetAt(new vscode.Position(range.end.line, range.end.character)),
    newText,
  }));
  for (const { from, to, newText } of places.sort((one, other) => other.from - one.from)) {
    text = text.slice(0, from) + newText + text.slice(to);
  }
  return text;
}
