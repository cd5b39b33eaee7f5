// The view of what is like the place at hand.
import { cancelled, kind, reason } from "khojd-common/channel";
import type { SimilarParams } from "khojd-common/protocol";
import * as vscode from "vscode";

import { addressOf, label, note, ofHit, positionOf, spanOf, uriOf, within, type Found } from "./hits";
import type { Host } from "./host";
import * as settings from "./settings";

const LIMIT = 20;
/** For `when` of the buttons. */
const FOLLOWING = "khoj.related.following";
export const VIEW = "khoj.related";

/** Shows what is like a place; follows the cursor until a person asks about something else, and again when told to. */
export class Related implements vscode.TreeDataProvider<Found>, vscode.Disposable {
  private readonly changes = new vscode.EventEmitter<undefined>();
  readonly onDidChangeTreeData = this.changes.event;
  private readonly view: vscode.TreeView<Found>;
  private readonly ends: readonly { dispose(): void }[];
  private hits: Found[] = [];
  private follows = settings.related().follow;
  private running: AbortController | undefined;
  private timer: ReturnType<typeof setTimeout> | undefined;
  /** What was asked last, so that nothing is asked twice; empty when it must be asked again. */
  private asked = "";

  constructor(private readonly host: Host) {
    this.view = vscode.window.createTreeView(VIEW, { treeDataProvider: this });
    this.ends = [
      this.view,
      this.changes,
      this.view.onDidChangeVisibility(() => { this.soon(); }),
      vscode.window.onDidChangeActiveTextEditor(() => { this.soon(); }),
      vscode.window.onDidChangeTextEditorSelection(({ textEditor }) => {
        if (textEditor === vscode.window.activeTextEditor) this.soon();
      }),
      // What was not indexed yet is asked about again when it is.
      host.session.onStatus(() => { this.soon(); }),
      vscode.workspace.onDidChangeConfiguration((change) => {
        if (change.affectsConfiguration("khoj.related.followCursor")) this.follow(settings.related().follow);
      }),
    ];
    this.follow(this.follows);
  }

  /** What is shown. */
  get items(): readonly Found[] {
    return this.hits;
  }

  get message(): string {
    return this.view.message ?? "";
  }

  /** Follow the cursor, or stay with what is shown. */
  follow(on: boolean): void {
    this.follows = on;
    this.asked = "";
    void vscode.commands.executeCommand("setContext", FOLLOWING, on);
    this.soon();
  }

  /** Show what is like a place that a person has asked about, and stay with it. */
  async similar(params: SimilarParams, name: string): Promise<void> {
    this.follow(false);
    await vscode.commands.executeCommand(`${VIEW}.focus`);
    await this.ask(params, name);
  }

  getChildren(parent?: Found): Found[] {
    return parent === undefined ? this.hits : [];
  }

  getTreeItem(found: Found): vscode.TreeItem {
    const item = new vscode.TreeItem(label(found));
    item.description = [note(found), found.snippet].filter((part) => part !== "").join("  ");
    item.tooltip = `${found.path}\n${found.about}\n\n${found.snippet}`;
    item.resourceUri = uriOf(found.location);
    item.iconPath = vscode.ThemeIcon.File;
    item.contextValue = "hit";
    item.command = { command: "khoj.open", title: "Open", arguments: [found] };
    return item;
  }

  dispose(): void {
    clearTimeout(this.timer);
    this.running?.abort();
    for (const end of this.ends) end.dispose();
  }

  /** Ask about the place of the cursor when that has rested. */
  private soon(): void {
    clearTimeout(this.timer);
    if (!this.follows || !this.view.visible) return;
    this.timer = setTimeout(() => void this.look(), settings.related().delay);
  }

  private async look(): Promise<void> {
    const editor = vscode.window.activeTextEditor;
    if (editor?.document.uri.scheme !== "file" || !this.indexed(editor.document.uri)) return;
    const position = positionOf(editor.selection.active);
    const mine = JSON.stringify([addressOf(editor.document.uri), editor.document.version, position]);
    if (mine === this.asked) return;
    this.asked = mine;
    try {
      await this.ask({ textDocument: { uri: addressOf(editor.document.uri) }, position }, "");
    } catch (failure) {
      this.asked = "";
      if (cancelled(failure) || kind(failure) === "not-found") return; // it is not indexed yet
      this.view.message = reason(failure);
    }
  }

  private indexed(uri: vscode.Uri): boolean {
    return within(uri.fsPath, this.host.session.folders);
  }

  private async ask(params: SimilarParams, name: string): Promise<void> {
    this.running?.abort();
    const mine = new AbortController();
    this.running = mine;
    const found = await this.host.channel.request("khoj/similar", { limit: LIMIT, ...params }, { signal: mine.signal });
    if (this.running !== mine) return;
    this.hits = found.hits.map(ofHit);
    const about = [name === "" ? "" : `Like ${name}`, this.hits.length === 0 ? "nothing is like it" : "", ...found.notes];
    // undefined is what takes a message away.
    (this.view as { message?: string | undefined }).message = about.filter((part) => part !== "").join(": ") || undefined;
    this.changes.fire(undefined);
  }
}

/** What a person asks about: the selection, else the place of the cursor, or the whole note. */
export function subject(whole: boolean): { params: SimilarParams; name: string } {
  const editor = vscode.window.activeTextEditor;
  if (editor === undefined) throw new Error("no note is open in the editor");
  const { document, selection } = editor;
  const name = vscode.workspace.asRelativePath(document.uri);
  if (document.uri.scheme !== "file") {
    const text = selection.isEmpty ? document.getText() : document.getText(selection);
    return { params: { text }, name };
  }
  const textDocument = { uri: addressOf(document.uri) };
  if (whole) return { params: { textDocument }, name };
  if (!selection.isEmpty) return { params: { textDocument, range: spanOf(selection) }, name: `the selection in ${name}` };
  return { params: { textDocument, position: positionOf(selection.active) }, name: `${name}:${selection.active.line + 1}` };
}
