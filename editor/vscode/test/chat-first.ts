// The first of two windows: begins a conversation, and sees how it goes on in the other. See chat-second.ts.
import assert from "node:assert/strict";

import { runTests } from "./mocha";
import { until } from "./support";
import { asked, chat } from "./talking";

export function run(): Promise<void> {
  return runTests(() => {
    describe("a window that begins a conversation", () => {
      it("shows what another one adds to it", async () => {
        const first = await asked("How is tea made in two windows?");
        assert.equal(first.state, "complete");
        const { talk } = await chat();
        await until("the question of the other window", async () => {
          await talk.refresh();
          return talk.conversation.turns[1]?.state === "complete" || undefined;
        }, 50);
        assert.equal(talk.conversation.turns[1]?.question, "And in this one?");
        assert.equal(talk.conversation.turns[0]?.id, first.id);
      });
    });
    return Promise.resolve();
  });
}
