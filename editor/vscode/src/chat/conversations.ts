// What is done with a conversation as a whole.
import * as vscode from "vscode";

import type { Host } from "../host";
import type { Listed } from "./messages";

const MOST = 200;

/** The conversations that hold all words of a query, the last changed first. */
export async function list(host: Host, query: string): Promise<{ conversations: Listed[]; problem: string }> {
  const { conversations, problem } = await host.channel.request("khoj/conversations/list", { query, limit: MOST });
  return { conversations: conversations.map(({ id, title, turns, updated }) => ({ id, title, turns, updated })), problem };
}

/** Ask for another title, and give it. */
export async function rename(host: Host, id: string): Promise<void> {
  const { conversation } = await host.channel.request("khoj/conversations/get", { conversation: id });
  const title = await vscode.window.showInputBox({ title: "Rename the conversation", prompt: "Empty for its first question", value: conversation.title });
  if (title !== undefined) await host.channel.request("khoj/conversations/rename", { conversation: id, title: title.trim() });
}

/** Ask, and delete. The result says whether it is gone. */
export async function remove(host: Host, id: string): Promise<boolean> {
  const { conversation } = await host.channel.request("khoj/conversations/get", { conversation: id });
  const yes = "Delete";
  const answer = await vscode.window.showWarningMessage(`Delete “${conversation.title}” for good?`, { modal: true }, yes);
  if (answer !== yes) return false;
  await host.channel.request("khoj/conversations/delete", { conversation: id });
  return true;
}

/** Make a note of it, to be saved where a person likes. */
export async function write(host: Host, id: string): Promise<void> {
  const kinds = [
    { label: "Markdown", format: "markdown" as const, description: "links to the cited lines" },
    { label: "Org", format: "org" as const, description: "links to the cited lines" },
  ];
  const kind = await vscode.window.showQuickPick(kinds, { title: "Export the conversation as" });
  if (kind === undefined) return;
  const { text } = await host.channel.request("khoj/conversations/export", { conversation: id, format: kind.format });
  await vscode.window.showTextDocument(await vscode.workspace.openTextDocument({ language: kind.format, content: text }));
}
