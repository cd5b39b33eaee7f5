// In a workspace that nobody trusts, and that has settings of its own: see tests/editors/vscode/test_trust.py.
import assert from "node:assert/strict";
import * as vscode from "vscode";

import { runTests } from "./mocha";
import { closeAll, edit, hovers, khoj, listed, until, uri } from "./support";

export function run(): Promise<void> {
  return runTests(() => {
    describe("in a workspace that is not trusted", () => {
      afterEach(closeAll);

      it("settings of the workspace name no program, no socket and no model", () => {
        assert.equal(vscode.workspace.isTrusted, false);
        const settings = vscode.workspace.getConfiguration("khoj");
        assert.equal(settings.get("search.limit"), 7, "the settings of the workspace are not read at all");
        for (const name of ["command", "config", "index", "socket", "folders", "chat.persona", "chat.model"]) {
          const { globalValue, defaultValue, workspaceValue } = settings.inspect(name) ?? {};
          assert.deepEqual(settings.get(name), globalValue ?? defaultValue, `${name}, which the workspace sets to ${JSON.stringify(workspaceValue)}`);
        }
      });

      it("the extension starts khojd, searches, and shows what links lead to", async () => {
        const { host } = await khoj();
        await vscode.commands.executeCommand("khoj.search", "steel");
        const [hit] = await listed("hits", (all) => all[0]?.found !== undefined);
        assert.equal(hit?.found?.path, uri("kettle.md").fsPath);
        await closeAll();
        const editor = await edit("tea.md", "kettle]]");
        assert.match(await until("the hover", () => hovers(editor)), /boils fast/);
        await vscode.commands.executeCommand("khoj.reconnect");
        assert.equal(host.session.state.kind, "ready");
      });
    });
    return Promise.resolve();
  });
}
