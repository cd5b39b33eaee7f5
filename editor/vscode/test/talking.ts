// What the tests of chat have in common.
import type { Turn } from "khojd-common/conversation";

import type { Chat } from "../src/chat/chat";
import { khoj, until } from "./support";

export async function chat(): Promise<Chat> {
  return (await khoj()).chat;
}

/** The last turn, as soon as it is as wanted. */
export async function turn(what: string, fits: (turn: Turn) => boolean): Promise<Turn> {
  const { talk } = await chat();
  return until(what, () => {
    const last = talk.conversation.turns.at(-1);
    return last !== undefined && fits(last) ? last : undefined;
  });
}

/** A new conversation, and the answer to its first question. */
export async function asked(question: string): Promise<Turn> {
  const { talk } = await chat();
  talk.begin();
  await talk.ask(question);
  return turn("the answer", (one) => one.state !== "running");
}
