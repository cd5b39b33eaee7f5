import assert from "node:assert/strict";
import { kill } from "node:process";
import * as vscode from "vscode";

import { closeAll, edit, hovers, khoj, khojd, listed, until } from "./support";

async function pid(): Promise<number> {
  return (await (await khoj()).host.channel.request("khoj/daemon/status", {})).pid;
}

describe("when the daemon ends", () => {
  afterEach(closeAll);

  it("by `khojd stop --force`, another one is attached to, with the texts that are open", async () => {
    const { host } = await khoj();
    const before = await pid();
    const editor = await edit("links.md", "END");
    await editor.edit((change) => { change.insert(editor.selection.active, "wombat whisper\n"); });
    await khojd("stop", "--force");
    const after = await until("another daemon", async () => (await pid()));
    assert.notEqual(after, before);
    await until("the overlay", async () => {
      const found = await host.channel.request("khoj/search", { query: "wombat" });
      return found.hits[0]?.unsaved === true;
    });
    await vscode.commands.executeCommand("workbench.action.files.revert");
    const links = await edit("links.md", "tea#Oolong");
    await until("a hover", () => hovers(links));
  });

  it("by kill -9 during a search, the search is asked again", async () => {
    const { statusBar, picker, host } = await khoj();
    await vscode.commands.executeCommand("khoj.search", "kettle");
    await listed("hits", (all) => all.length > 0);
    const before = await pid();
    kill(before, "SIGKILL");
    picker()?.type("oxidised");
    await listed("hits of another daemon", (all) => all[0]?.found?.headings.at(-1) === "Oolong");
    assert.notEqual(await pid(), before);
    assert.equal(host.session.state.kind, "ready");
    await until("the status", () => statusBar.shown.detail.includes('files indexed'));
  });

  it("what cannot be reached is said in one line, and mended by the settings", async () => {
    const { statusBar, host } = await khoj();
    const settings = vscode.workspace.getConfiguration("khoj");
    const command = settings.inspect<string[]>("command")?.globalValue;
    const target = vscode.ConfigurationTarget.Global;
    try {
      await settings.update("command", ["/no/such/khojd"], target);
      await until("the problem", () => host.session.state.kind === "problem");
      assert.match(statusBar.shown.detail, /^the command in the settings names no program: \/no\/such\/khojd\n/);
      await assert.rejects(host.channel.request("khoj/index/status", {}), /names no program/);
    } finally {
      await settings.update("command", command, target);
    }
    await until("a connection", () => host.session.state.kind === "ready");
  });
});
