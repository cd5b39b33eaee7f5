import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import * as vscode from "vscode";

import type { Node } from "../src/files";
import { closeAll, edit, khoj, until, uri } from "./support";

async function files(state: string): Promise<Node[]> {
  const view = (await khoj()).files;
  const group = (await view.getChildren()).find((node) => node.kind === "state" && node.state === state);
  return group === undefined ? [] : view.getChildren(group);
}

describe("the view of the index", () => {
  it("has each file with its state, and why", async () => {
    const view = (await khoj()).files;
    const [failed] = await files("failed");
    assert(failed?.kind === "file");
    assert.equal(failed.file.path, uri("broken.md").fsPath);
    const item = view.getTreeItem(failed);
    assert.equal(item.contextValue, "file.failed");
    assert.equal(item.description, failed.file.reason);
    assert.notEqual(failed.file.reason, "");
    assert((await files("indexed")).some((node) => node.kind === "file" && node.file.path === uri("tea.md").fsPath));
    const folder = (await view.getChildren()).find((node) => node.kind === "folder");
    assert(folder !== undefined);
    assert.match(String(view.getTreeItem(folder).description), /^\d+ files/);
  });

  it("has a file read again that can be read now", async () => {
    const [failed] = await files("failed");
    writeFileSync(uri("broken.md").fsPath, "# Mended\n");
    await vscode.commands.executeCommand("khoj.index.updateFile", failed);
    await until("nothing failed", async () => (await files("failed")).length === 0);
    const { statusBar } = await khoj();
    await until("the status bar", () => !statusBar.shown.text.includes("failed"));
  });

  it("pauses indexing and lets it go on", async () => {
    const { statusBar } = await khoj();
    await vscode.commands.executeCommand("khoj.index.pause");
    await until("paused", () => statusBar.shown.text.includes("paused"));
    await vscode.commands.executeCommand("khoj.index.resume");
    await until("resumed", () => !statusBar.shown.text.includes("paused"));
  });

  it("leads to the configuration and the log", async () => {
    await vscode.commands.executeCommand("khoj.openConfig");
    await until("the configuration", () => vscode.window.activeTextEditor?.document.getText().includes("[[folders]]"));
    await vscode.commands.executeCommand("khoj.openLog");
    await until("the log", () => vscode.window.activeTextEditor?.document.uri.fsPath.endsWith(".log"));
    await closeAll();
  });
});

describe("the view Related", () => {
  it("follows the cursor, and stays when it is told to", async () => {
    const { related } = await khoj();
    const paths = () => related.items.map((found) => found.path);
    const has = (name: string) => paths().includes(uri(name).fsPath);
    await vscode.commands.executeCommand("khoj.related.focus");
    await edit("todo.org", "steel");
    await until("what is like the kettle", () => has("deep/kettle.md"));
    await edit("tea.md", "oxidised");
    await until("what is like oolong", () => has("deep/oolong.md"));
    await vscode.commands.executeCommand("khoj.related.stay");
    const before = paths();
    await edit("todo.org", "steel");
    await new Promise((resolve) => setTimeout(resolve, 700));
    assert.deepEqual(paths(), before);
    await vscode.commands.executeCommand("khoj.related.follow");
    await until("the kettle again", () => has("deep/kettle.md"));
  });

  it("shows what is like a selection, or a whole note", async () => {
    const { related } = await khoj();
    const editor = await edit("todo.org", "A steel");
    editor.selection = new vscode.Selection(editor.selection.active, editor.selection.active.translate(0, 12));
    await vscode.commands.executeCommand("khoj.similar");
    assert.match(related.message, /^Like the selection in todo\.org/);
    assert(related.items.some((found) => found.path === uri("deep/kettle.md").fsPath));
    await vscode.commands.executeCommand("khoj.similarNote");
    assert.match(related.message, /^Like todo\.org/);
    await vscode.commands.executeCommand("khoj.related.follow");
    await closeAll();
  });
});
