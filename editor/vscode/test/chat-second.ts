// The second of two windows: finds the conversation of the first, and goes on with it. See chat-first.ts.
import assert from "node:assert/strict";
import * as vscode from "vscode";

import { runTests } from "./mocha";
import { khoj, until } from "./support";
import { chat } from "./talking";

export function run(): Promise<void> {
  return runTests(() => {
    describe("a window that goes on with a conversation", () => {
      it("finds it among all, with its answer", async () => {
        const { host } = await khoj();
        const id = await until("the conversation of the first window", async () => {
          const { conversations } = await host.channel.request("khoj/conversations/list", { query: "two windows" });
          const [one] = conversations;
          if (one === undefined) return undefined;
          const { turns } = await host.channel.request("khoj/conversations/get", { conversation: one.id });
          return turns[0]?.state === "complete" ? one.id : undefined;
        }, 50);
        await vscode.commands.executeCommand("khoj.chat.reveal", id);
        const { talk } = await chat();
        assert.equal(talk.conversation.turns[0]?.answer, "Green tea 🍵 is **steamed** [1]. That is all.");
        await talk.ask("And in this one?");
        assert.deepEqual(talk.conversation.turns.map(({ state }) => state), ["complete", "complete"]);
      });
    });
    return Promise.resolve();
  });
}
