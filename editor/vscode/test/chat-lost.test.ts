import assert from "node:assert/strict";
import { kill } from "node:process";

import { chat, turn } from "./talking";
import { khoj, until } from "./support";

describe("chat, when the daemon is killed in the middle of an answer", () => {
  it("marks the turn as cut off, keeps the conversation, and asks again", async () => {
    const one = await chat();
    const { host } = await khoj();
    one.talk.begin();
    await one.talk.ask("How is green tea made?");
    const asking = one.talk.ask("Hang once");
    const begun = await turn("the beginning", ({ answer }) => answer === "On and on");
    const { pid } = await host.channel.request("khoj/daemon/status", {});
    kill(pid, "SIGKILL");
    await asking;
    const lost = await turn("the end", ({ state }) => state === "cut-off");
    assert.deepEqual([lost.id, lost.answer, lost.reason], [begun.id, "On and on", "the connection to khojd was lost"]);
    await until("another daemon", async () => (await host.channel.request("khoj/daemon/status", {})).pid !== pid || undefined);
    await one.talk.refresh();
    assert.deepEqual(one.talk.conversation.turns.map(({ state }) => state), ["complete", "cut-off"]);

    await one.take({ type: "retry", key: lost.key });
    const again = await turn("the answer", ({ state }) => state === "complete");
    assert.match(again.answer, /steamed/);
    assert.deepEqual(one.talk.conversation.turns.map(({ question }) => question), ["How is green tea made?", "Hang once"]);
    const { turns } = await host.channel.request("khoj/conversations/get", { conversation: one.talk.conversation.id });
    assert.deepEqual(turns.map(({ state }) => state), ["complete", "complete"]);
  });
});
