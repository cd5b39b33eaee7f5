// What the other commands do: notes, the index, the daemon's files.
import { unlinked } from "khojd-common/channel";
import type { UpdateResult } from "khojd-common/protocol";
import { line } from "khojd-common/status";
import * as vscode from "vscode";

import type { Node } from "./files";
import { addressOf } from "./hits";
import type { Host } from "./host";
import { noteUri } from "./searches";

/** The folder of the workspace that is at hand, if khojd reads it. */
function folderAtHand(host: Host): { folder?: string } {
  const at = vscode.window.activeTextEditor?.document.uri;
  const open = (at === undefined ? undefined : vscode.workspace.getWorkspaceFolder(at)) ?? vscode.workspace.workspaceFolders?.[0];
  const known = host.session.status?.folders.some((folder) => folder.path === open?.uri.fsPath) === true;
  return known && open !== undefined ? { folder: addressOf(open.uri) } : {};
}

/** Show today's note; it is made if it is not there yet. */
export async function today(host: Host): Promise<void> {
  await host.channel.request("khoj/notes/today", folderAtHand(host));
}

/** Make a note. */
export async function create(host: Host): Promise<void> {
  const title = await vscode.window.showInputBox({ title: "New note", prompt: "Its title" });
  if (title !== undefined && title.trim() !== "") await host.channel.request("khoj/notes/new", { title, ...folderAtHand(host) });
}

/** Insert the table of contents of the note at hand, or bring it up to date. */
export async function contents(host: Host): Promise<void> {
  const result = await host.channel.request("khoj/contents/update", { textDocument: { uri: addressOf(noteUri()) } });
  if (!result.applied && (result.reason ?? "") !== "") void vscode.window.showInformationMessage(`Khoj: ${unlinked(result.reason ?? "")}`);
}

/** Have all files looked at again, or one of them, or a folder. */
export async function update(host: Host, node?: Node): Promise<UpdateResult | undefined> {
  const path = node?.kind === "file" ? node.file.path : node?.kind === "folder" ? node.folder.path : undefined;
  return vscode.window.withProgress(
    { location: vscode.ProgressLocation.Window, title: "Khoj: reading notes", cancellable: true },
    async (progress, cancel) => {
      const stop = new AbortController();
      cancel.onCancellationRequested(() => { stop.abort(); });
      const result = await host.channel.request("khoj/index/update", { paths: path === undefined ? [] : [path] }, {
        signal: stop.signal,
        progress: ({ message }) => { if (message !== undefined) progress.report({ message }); },
      });
      const { added, changed, removed, failed, tookMs } = result;
      const seconds = (tookMs / 1000).toFixed(1);
      void vscode.window.setStatusBarMessage(`Khoj: ${added} added, ${changed} changed, ${removed} removed, ${failed} failed, in ${seconds} s`, 8000);
      return result;
    },
  );
}

export async function pause(host: Host): Promise<void> {
  await host.channel.request("khoj/index/pause", {});
}

export async function resume(host: Host): Promise<void> {
  await host.channel.request("khoj/index/resume", {});
}

/** Say how the index is. */
export async function status(host: Host): Promise<void> {
  const { detail } = line(await host.channel.request("khoj/index/status", {}));
  void vscode.window.showInformationMessage(`Khoj: ${unlinked(detail)}`);
}

/** Have khojd read a folder. */
export async function addFolder(host: Host, chosen?: vscode.Uri): Promise<void> {
  const at = vscode.workspace.workspaceFolders?.[0]?.uri;
  const picked = chosen === undefined
    ? await vscode.window.showOpenDialog({
        canSelectFiles: false,
        canSelectFolders: true,
        openLabel: "Add",
        title: "Folder of notes",
        ...(at === undefined ? {} : { defaultUri: at }),
      })
    : [chosen];
  const folder = picked?.[0];
  if (folder === undefined) return;
  const always = "Always";
  const answer = await vscode.window.showInformationMessage(
    `Index the notes in ${folder.fsPath} for search? They stay on this machine.`,
    { modal: true, detail: `"${always}" also writes the folder into khojd's configuration.` },
    always,
    "Until khojd Ends",
  );
  if (answer === undefined) return;
  await host.channel.request("khoj/index/add", { path: addressOf(folder), persist: answer === always });
}

/** Have khojd forget a folder. Its notes stay as they are. */
export async function removeFolder(host: Host, node?: Node): Promise<void> {
  if (node?.kind !== "folder") return;
  const { path } = node.folder;
  const remove = "Remove";
  const answer = await vscode.window.showWarningMessage(
    `Stop indexing ${path}?`,
    { modal: true, detail: "Its notes stay as they are. It is also taken out of khojd's configuration." },
    remove,
  );
  if (answer === remove) await host.channel.request("khoj/index/remove", { path, persist: true });
}

/** Say why a file has its state. */
export function explain(node?: Node): void {
  if (node?.kind !== "file") return;
  const { file } = node;
  const why = [file.reason, ...file.notes].filter((part) => part !== "").join("; ");
  void vscode.window.showInformationMessage(unlinked(`${file.path} is ${file.state}${why === "" ? "" : `: ${why}`}`));
}

/** Open khojd's configuration, or a file that is to become it. */
export async function openConfig(host: Host): Promise<void> {
  const { file, exists } = await host.channel.request("khoj/config/get", {});
  const uri = exists ? vscode.Uri.file(file) : vscode.Uri.file(file).with({ scheme: "untitled" });
  await vscode.window.showTextDocument(uri);
}

/** Open khojd's log at its end. */
export async function openLog(host: Host): Promise<void> {
  const { log } = await host.channel.request("khoj/daemon/status", {});
  const editor = await vscode.window.showTextDocument(vscode.Uri.file(log));
  const end = editor.document.lineAt(editor.document.lineCount - 1).range.end;
  editor.selection = new vscode.Selection(end, end);
  editor.revealRange(new vscode.Range(end, end));
}
