// What the tests have in common: the extension's parts, notes, the daemon from outside, and waiting.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import * as path from "node:path";
import * as vscode from "vscode";

import type { Parts } from "../src/extension";
import type { HitItem } from "../src/picker";

export const NOTES = vscode.workspace.workspaceFolders?.[0]?.uri.fsPath ?? "";
export const ID = "khojd.khoj";
const PATIENCE = 30; // seconds for what is a matter of one: a machine may be busy with other things

let parts: Parts | undefined;

/** The extension, activated, with an index of the notes. */
export async function khoj(): Promise<Parts> {
  if (parts === undefined) {
    const extension = vscode.extensions.getExtension<Parts>(ID);
    assert(extension !== undefined, "the extension is not installed");
    parts = await extension.activate();
    await parts.host.channel.request("khoj/index/update", {});
  }
  return parts;
}

/** Run khojd beside the editor. */
export async function khojd(...args: string[]): Promise<string> {
  const [program = "", ...first] = JSON.parse(process.env.KHOJ_TEST_KHOJD ?? "[]") as string[];
  return (await promisify(execFile)(program, [...first, ...args])).stdout;
}

export function uri(name: string): vscode.Uri {
  return vscode.Uri.file(path.join(NOTES, name));
}

/** A note, open in the editor, with the cursor at a text of it. */
export async function edit(name: string, at = ""): Promise<vscode.TextEditor> {
  const editor = await vscode.window.showTextDocument(uri(name), { preview: false });
  const offset = editor.document.getText().indexOf(at);
  assert(offset >= 0, `${name} has no ${at}`);
  const position = editor.document.positionAt(offset);
  editor.selection = new vscode.Selection(position, position);
  return editor;
}

/** What a hover at the cursor says. */
export async function hovers(at: vscode.TextEditor): Promise<string> {
  const found = await vscode.commands.executeCommand<vscode.Hover[]>("vscode.executeHoverProvider", at.document.uri, at.selection.active);
  return found.flatMap((hover) => hover.contents as vscode.MarkdownString[]).map((part) => part.value).join("\n");
}

/** The diff in the editor at hand. */
export function diff(): vscode.TabInputTextDiff | undefined {
  const input = vscode.window.tabGroups.activeTabGroup.activeTab?.input;
  return input instanceof vscode.TabInputTextDiff ? input : undefined;
}

/** Set a setting of ours, so that it can be set to something else and back. */
export async function set(name: string, value: unknown): Promise<{ to(value: unknown): Promise<void>; back(): Promise<void> }> {
  const settings = () => vscode.workspace.getConfiguration("khoj");
  const before = settings().inspect(name)?.globalValue;
  const to = async (wanted: unknown) => { await settings().update(name, wanted, vscode.ConfigurationTarget.Global); };
  await to(value);
  return { to, back: () => to(before) };
}

type Nothing = undefined | false | 0 | "";

/** Wait until something is so; the last failure is told when it never is. */
export async function until<T>(what: string, look: () => Promise<T> | T, seconds = PATIENCE): Promise<Exclude<T, Nothing>> {
  const end = Date.now() + seconds * 1000;
  let failure: unknown;
  while (Date.now() < end) {
    try {
      const value = await look();
      if (value !== undefined && value !== false && value !== 0 && value !== "") return value as Exclude<T, Nothing>;
      failure = undefined;
    } catch (thrown) {
      failure = thrown;
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`${what}: not within ${seconds} s${failure instanceof Error ? `: ${failure.message}` : ""}`);
}

/** The items of the list that is open, as soon as they are as wanted. */
export async function listed(what: string, fits: (items: readonly HitItem[]) => boolean): Promise<readonly HitItem[]> {
  const { picker } = await khoj();
  return until(what, () => {
    const items = picker()?.items;
    return items !== undefined && fits(items) ? items : undefined;
  });
}

export async function closeAll(): Promise<void> {
  await vscode.commands.executeCommand("workbench.action.closeQuickOpen");
  await vscode.commands.executeCommand("workbench.action.closeAllEditors");
}
