import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import * as vscode from "vscode";

import { edit, ID, khoj, until } from "./support";

describe("activation", () => {
  it("waits for a note, a command or a view", async () => {
    const extension = vscode.extensions.getExtension(ID);
    assert.equal(extension?.isActive, false);
    assert(!extension.extensionPath.endsWith("editor/vscode"), "the packaged extension is what is tested");
    assert(!existsSync(`${extension.extensionPath}/src`), "the package has sources");
    await edit("tea.md");
    await until("activation", () => vscode.extensions.getExtension(ID)?.isActive === true);
  });

  it("registers each command that it contributes", async () => {
    await khoj();
    const { contributes } = vscode.extensions.getExtension(ID)?.packageJSON as { contributes: { commands: { command: string }[] } };
    const known = new Set(await vscode.commands.getCommands(true));
    assert.deepEqual(contributes.commands.map(({ command }) => command).filter((command) => !known.has(command)), []);
  });

  it("makes .org files notes in Org", async () => {
    const { document } = await edit("todo.org");
    assert.equal(document.languageId, "org");
  });

  it("shows the state of the index in the status bar", async () => {
    const { statusBar } = await khoj();
    await until("the status", () => /^\d+ of \d+ files indexed, 1 failed/.test(statusBar.shown.detail));
    assert.match(statusBar.shown.text, /^\$\(warning\) Khoj.*1 failed$/);
  });
});
