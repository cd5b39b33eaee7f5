// The view of the index: folders, what is wrong, and all files with their states.
import type { FileStatus, FolderStatus, IndexStatus } from "khojd-common/protocol";
import { problems, STATES } from "khojd-common/status";
import { reason } from "khojd-common/channel";
import * as path from "node:path";
import * as vscode from "vscode";

import { uriOf } from "./hits";
import type { Host } from "./host";

export const VIEW = "khoj.index";
const PAGE = 200;
const REST = 500; // milliseconds between two looks at the files while they change

type StateName = FileStatus["state"];

export type Node =
  | { kind: "problem" | "remark"; text: string }
  | { kind: "folder"; folder: FolderStatus }
  | { kind: "state"; state: StateName; count: number }
  | { kind: "file"; file: FileStatus }
  | { kind: "more"; state: StateName; left: number };

const ICONS: Readonly<Record<StateName, vscode.ThemeIcon>> = {
  failed: new vscode.ThemeIcon("error", new vscode.ThemeColor("problemsErrorIcon.foreground")),
  pending: new vscode.ThemeIcon("sync"),
  skipped: new vscode.ThemeIcon("circle-slash"),
  indexed: new vscode.ThemeIcon("pass", new vscode.ThemeColor("testing.iconPassed")),
};

export class Files implements vscode.TreeDataProvider<Node>, vscode.Disposable {
  private readonly changes = new vscode.EventEmitter<undefined>();
  readonly onDidChangeTreeData = this.changes.event;
  private readonly view: vscode.TreeView<Node>;
  private readonly ends: readonly { dispose(): void }[];
  private timer: ReturnType<typeof setTimeout> | undefined;
  /** How many files of each state are listed. */
  private readonly shown = new Map<StateName, number>();

  constructor(private readonly host: Host) {
    this.view = vscode.window.createTreeView(VIEW, { treeDataProvider: this, showCollapseAll: true });
    this.ends = [
      this.view,
      this.changes,
      host.session.onStatus((status) => { this.took(status); }),
      host.session.onState(() => { this.changes.fire(undefined); }),
    ];
  }

  /** Show the view. */
  async focus(): Promise<void> {
    await vscode.commands.executeCommand(`${VIEW}.focus`);
  }

  /** List more files of a state. */
  more(state: StateName): void {
    this.shown.set(state, (this.shown.get(state) ?? PAGE) + PAGE);
    this.changes.fire(undefined);
  }

  async getChildren(parent?: Node): Promise<Node[]> {
    if (parent === undefined) return this.roots();
    if (parent.kind !== "state") return [];
    const limit = this.shown.get(parent.state) ?? PAGE;
    const { files } = await this.host.channel.request("khoj/index/files", { states: [parent.state], limit });
    const nodes: Node[] = files.map((file) => ({ kind: "file", file }));
    if (parent.count > limit) nodes.push({ kind: "more", state: parent.state, left: parent.count - limit });
    return nodes;
  }

  getTreeItem(node: Node): vscode.TreeItem {
    switch (node.kind) {
      case "problem":
      case "remark": {
        const item = new vscode.TreeItem(node.text);
        item.iconPath = new vscode.ThemeIcon(node.kind === "problem" ? "warning" : "info");
        item.tooltip = node.text;
        item.contextValue = node.kind;
        if (this.host.session.state.kind === "problem") item.command = { command: "khoj.reconnect", title: "Try Again" };
        return item;
      }
      case "folder": return folderItem(node.folder);
      case "state": {
        // A failure is what is looked for; 13,000 files that are well are not.
        const open = node.state === "failed" ? vscode.TreeItemCollapsibleState.Expanded : vscode.TreeItemCollapsibleState.Collapsed;
        const item = new vscode.TreeItem(`${node.count} ${node.state}`, open);
        item.id = node.state;
        item.iconPath = ICONS[node.state];
        item.contextValue = `state.${node.state}`;
        return item;
      }
      case "file": return fileItem(node.file);
      case "more": {
        const item = new vscode.TreeItem(`${node.left} more…`);
        item.command = { command: "khoj.index.more", title: "Show More", arguments: [node.state] };
        return item;
      }
    }
  }

  dispose(): void {
    clearTimeout(this.timer);
    for (const end of this.ends) end.dispose();
  }

  private async roots(): Promise<Node[]> {
    const { session, channel } = this.host;
    if (session.state.kind === "problem") return [{ kind: "problem", text: session.state.reason }];
    let status: IndexStatus;
    try {
      status = await channel.request("khoj/index/status", {});
    } catch (failure) {
      return [{ kind: "problem", text: reason(failure) }];
    }
    if (status.folders.length === 0) return []; // the view's welcome says what to do
    return [
      ...status.problems.map((text): Node => ({ kind: "problem", text })),
      ...(status.modelProblem === "" ? [] : [{ kind: "remark" as const, text: `Meaning: ${status.modelProblem}` }]),
      ...status.folders.map((folder): Node => ({ kind: "folder", folder })),
      ...STATES.filter((state) => status[state] > 0).map((state): Node => ({ kind: "state", state, count: status[state] })),
    ];
  }

  private took(status: IndexStatus): void {
    void vscode.commands.executeCommand("setContext", "khoj.index.paused", status.paused);
    void vscode.commands.executeCommand("setContext", "khoj.index.empty", status.folders.length === 0);
    // A number of what is wrong in view of the icon.
    const wrong = status.failed + problems(status).length;
    (this.view as { badge?: vscode.ViewBadge | undefined }).badge = wrong === 0 ? undefined : { value: wrong, tooltip: `${wrong} to look at` };
    this.timer ??= setTimeout(() => {
      this.timer = undefined;
      if (this.view.visible) this.changes.fire(undefined);
    }, REST);
  }
}

function folderItem(folder: FolderStatus): vscode.TreeItem {
  const item = new vscode.TreeItem(path.basename(folder.path) || folder.path);
  const watching = folder.watching === "events" ? "" : folder.watching === "polling" ? ", looked at from time to time" : ", not watched";
  item.description = folder.problem === "" ? `${folder.files} files${watching}` : folder.problem;
  item.tooltip = `${folder.path}\n${item.description}`;
  item.iconPath = new vscode.ThemeIcon(folder.problem === "" ? "folder-library" : "warning");
  item.contextValue = "folder";
  return item;
}

function fileItem(file: FileStatus): vscode.TreeItem {
  const item = new vscode.TreeItem(`${path.basename(file.path)}${file.unsaved ? " ●" : ""}`);
  const why = [file.reason, ...file.notes].filter((part) => part !== "").join("; ");
  item.description = why === "" ? path.dirname(file.path) : why;
  item.tooltip = allOf(file, why);
  item.iconPath = ICONS[file.state];
  item.contextValue = `file.${file.state}`;
  item.command = { command: "vscode.open", title: "Open", arguments: [uriOf(file)] };
  return item;
}

/** All that is known of a file, in a few lines. */
function allOf(file: FileStatus, why: string): string {
  const waiting = file.entriesPending > 0 ? `, ${file.entriesPending} not yet found by meaning` : "";
  return [
    file.path,
    `${file.state}${why === "" ? "" : `: ${why}`}`,
    `since ${new Date(file.since * 1000).toLocaleString()}`,
    `${file.entries} entries${waiting}`,
    [file.format, file.language, file.encoding].filter((part) => part !== "").join(", "),
  ].join("\n");
}
