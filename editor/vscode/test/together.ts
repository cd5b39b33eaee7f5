// VS Code as one of several editors at one daemon: tests/editors/together says what to do.
import * as path from "node:path";
import * as vscode from "vscode";

import { type Asked, play } from "../../common/test/player";
import { runTests } from "./mocha";
import { closeAll, edit, khoj, until } from "./support";

const PATIENCE = 120; // seconds: several editors share the machine

async function find({ query = "" }: Asked): Promise<string[]> {
  const { picker } = await khoj();
  await vscode.commands.executeCommand("khoj.search", query);
  const items = await until("the whole list", () => {
    const open = picker();
    if (open === undefined) throw new Error("the list is not open");
    return open.busy ? undefined : { all: open.items };
  }, PATIENCE);
  await closeAllLists();
  return [...new Set(items.all.flatMap(({ found }) => (found === undefined ? [] : [path.basename(found.location.uri)])))];
}

async function closeAllLists(): Promise<void> {
  const { picker } = await khoj();
  await vscode.commands.executeCommand("workbench.action.closeQuickOpen");
  await until("the list to close", () => picker() === undefined);
}

async function ask({ question = "" }: Asked): Promise<string> {
  const { chat } = await khoj();
  await chat.talk.ask(question);
  return chat.talk.conversation.turns.at(-1)?.answer ?? "";
}

export function run(): Promise<void> {
  return runTests(async () => {
    describe("VS Code beside other editors", () => {
      it("takes part", async function () {
        this.timeout(450_000);
        const { host, chat } = await khoj();
        await play("vscode", {
          type: async ({ note = "", text = "" }) => {
            const { document } = await edit(note);
            const change = new vscode.WorkspaceEdit();
            change.replace(document.uri, new vscode.Range(0, 0, document.lineCount, 0), text);
            await vscode.workspace.applyEdit(change);
          },
          save: async ({ note = "" }) => (await edit(note)).document.save(),
          find,
          await: (asked) => until("the note", async () => {
            const found = await find(asked);
            return found.length > 0 ? found : undefined;
          }, PATIENCE),
          ask,
          continue: async ({ title }) => {
            const { conversations } = await host.channel.request("khoj/conversations/list", {});
            await chat.show(conversations.find((each) => each.title === title)?.id ?? "");
            return chat.talk.conversation.turns.map((turn) => turn.question);
          },
        });
        await closeAll();
      });
    });
    await Promise.resolve();
  });
}
