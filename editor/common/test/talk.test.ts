import { beforeEach, describe, expect, it, vi } from "vitest";

import { type Channel, Cut, type Method, type Options } from "../src/channel";
import { running } from "../src/conversation";
import type { ChatResult, ConversationResult, ConversationTurn, Requests } from "../src/protocol";
import { type News, Talk } from "../src/talk";
import { usage } from "./paper";

type Asked = { [M in Method]: { method: M; params: Requests[M]["params"]; options: Options<M>; answer(result: Requests[M]["result"]): void; refuse(failure: unknown): void } }[Method];

/** khojd as a person who answers by hand. */
class Hand implements Channel {
  readonly asked: Asked[] = [];

  request<M extends Method>(method: M, params: Requests[M]["params"], options: Options<M> = {}): Promise<Requests[M]["result"]> {
    return new Promise((resolve, reject) => {
      this.asked.push({ method, params, options, answer: resolve, refuse: reject } as unknown as Asked);
      options.signal?.addEventListener("abort", () => { reject(Object.assign(new Error("cancelled"), { code: -32800 })); });
    });
  }

  /** The last request, which is of a method. */
  last<M extends Method>(method: M): Extract<Asked, { method: M }> {
    const found = this.asked.at(-1);
    if (found?.method !== method) throw new Error(`the last request is ${found?.method ?? "none"}`);
    return found as Extract<Asked, { method: M }>;
  }
}

const RESULT: ChatResult = {
  conversation: "c1", title: "Knees", turn: "t1", state: "complete", reason: "", text: "", extractive: false, persona: "default",
  provider: "", model: "", citations: [], removed: 0, references: [], steps: [], proposals: [], usage: usage({}),
};
const KEPT: ConversationResult = {
  conversation: {
    id: "c9", title: "Hips", titled: true, created: 1, updated: 2, turns: 0, persona: "writer", filters: "tag:hip", forkedFrom: "",
  },
  turns: [],
  aside: [],
};

let khojd: Hand;
let news: News[];
let talk: Talk;

beforeEach(() => {
  khojd = new Hand();
  news = [];
  talk = new Talk(khojd, (one) => news.push(one));
});

function stream(): Options<"khoj/chat"> {
  const found = khojd.asked.flatMap((one) => (one.method === "khoj/chat" ? [one.options] : [])).at(-1);
  if (found === undefined) throw new Error("nothing was asked");
  return found;
}

function says(...texts: string[]): void {
  for (const text of texts) stream().partial?.({ kind: "text", text });
}

function starts(turn = "t1"): void {
  stream().partial?.({ kind: "started", conversation: "c1", turn, title: "Knees" });
}

describe("a question", () => {
  it("carries what was chosen and attached, once", async () => {
    talk.choose({ persona: "writer", filters: "tag:knee" });
    const place = { textDocument: { uri: "file:///a.md" } };
    talk.attach({ label: "a.md", place });
    talk.attach({ label: "a.md", place });
    const answer = talk.ask("Why?");
    const { params } = khojd.last("khoj/chat");
    expect(params).toMatchObject({ message: "Why?", persona: "writer", filters: "tag:knee", context: [place], conversation: "" });
    expect(talk.about).toEqual([]);
    starts();
    says("So", ".");
    khojd.last("khoj/chat").answer(RESULT);
    await answer;
    expect(talk.conversation).toMatchObject({ id: "c1", turns: [{ answer: "So.", state: "complete" }] });
    void talk.ask("And?");
    expect(khojd.last("khoj/chat").params).toMatchObject({ conversation: "c1", context: [], replaces: "" });
  });

  it("waits for the answer before it", async () => {
    void talk.ask("Why?");
    await talk.ask("And?");
    await talk.ask("  ");
    expect(khojd.asked).toHaveLength(1);
  });

  it("that khojd refuses is given back", async () => {
    const answer = talk.ask("/nonsense");
    khojd.last("khoj/chat").refuse(Object.assign(new Error("there is no command /nonsense"), { code: -32032 }));
    await answer;
    expect(news.at(-1)).toEqual({ kind: "refused", question: "/nonsense" });
    expect(talk.conversation.turns).toMatchObject([{ state: "failed", reason: "there is no command /nonsense" }]);
  });
});

describe("an answer", () => {
  it("is stopped by its turn, and stays as far as it came", async () => {
    const answer = talk.ask("Why?");
    starts();
    says("So");
    void talk.stop();
    expect(khojd.last("khoj/chat/cancel").params).toEqual({ turn: "t1" });
    (khojd.asked[0] as Extract<Asked, { method: "khoj/chat" }>).answer({ ...RESULT, state: "cancelled", reason: "stopped" });
    await answer;
    expect(talk.conversation.turns).toMatchObject([{ answer: "So", state: "cancelled" }]);
    expect(talk.busy).toBe(false);
  });

  it("that was stopped before it began is stopped when it begins", () => {
    void talk.ask("Why?");
    void talk.stop();
    expect(khojd.asked).toHaveLength(1);
    starts();
    expect(khojd.last("khoj/chat/cancel").params).toEqual({ turn: "t1" });
  });

  it("is cut off with the connection, and can be asked for again", async () => {
    const answer = talk.ask("Why?");
    starts();
    says("So");
    khojd.last("khoj/chat").refuse(new Cut());
    await answer;
    expect(talk.conversation.turns).toMatchObject([{ id: "t1", answer: "So", state: "cut-off", reason: "the connection to khojd was lost" }]);
    expect(news.some((one) => one.kind === "refused")).toBe(false);
    void talk.retry(1);
    expect(khojd.last("khoj/chat").params).toMatchObject({ message: "Why?", replaces: "t1", conversation: "c1" });
    expect(talk.conversation.turns).toHaveLength(1);
  });

  it("of a conversation that was left is not shown in the next", async () => {
    const answer = talk.ask("Why?");
    starts();
    const late = khojd.last("khoj/chat").options;
    talk.begin();
    expect(late.signal?.aborted).toBe(true);
    late.partial?.({ kind: "text", text: "late" });
    await answer;
    expect(talk.conversation.turns).toEqual([]);
    void talk.ask("Else?");
    late.partial?.({ kind: "text", text: "late" });
    expect(running(talk.conversation)?.answer).toBe("");
  });
});

describe("a turn", () => {
  beforeEach(async () => {
    const answer = talk.ask("Why?");
    starts();
    khojd.last("khoj/chat").answer(RESULT);
    await answer;
  });

  it("is edited by asking what replaces it", () => {
    expect(talk.edit(1)).toBe("Why?");
    expect(talk.conversation.turns).toHaveLength(1);
    void talk.ask("Why not?");
    expect(khojd.last("khoj/chat").params).toMatchObject({ message: "Why not?", replaces: "t1" });
    expect(talk.conversation.turns).toMatchObject([{ question: "Why not?" }]);
  });

  it("is kept when the edit is given up", () => {
    talk.edit(1);
    talk.keep();
    void talk.ask("And?");
    expect(talk.conversation.turns).toHaveLength(2);
  });

  it("is where a fork goes on from", async () => {
    const forked = talk.fork(1);
    expect(khojd.last("khoj/conversations/fork").params).toEqual({ turn: "t1" });
    khojd.last("khoj/conversations/fork").answer(KEPT.conversation);
    await Promise.resolve();
    khojd.last("khoj/conversations/get").answer(KEPT);
    await forked;
    expect(talk.conversation).toMatchObject({ id: "c9", title: "Hips", persona: "writer" });
  });

  it("that was added elsewhere appears, and what is the same stays", async () => {
    const own = talk.conversation;
    const conversation = { ...KEPT.conversation, id: "c1", title: "Knees" };
    const turn: ConversationTurn = {
      ...RESULT, id: "t1", question: "Why?", command: "", answer: "", thinking: "", state: "complete", queries: [], created: 1, finished: 2,
    };
    let asked = talk.refresh();
    khojd.last("khoj/conversations/get").answer({ conversation, turns: [turn], aside: [] });
    await asked;
    expect(talk.conversation).toBe(own);
    asked = talk.refresh();
    khojd.last("khoj/conversations/get").answer({ conversation, turns: [turn, { ...turn, id: "t2", question: "And?" }], aside: [] });
    await asked;
    expect(talk.conversation.turns.map((one) => one.question)).toEqual(["Why?", "And?"]);
  });
});

describe("looking at what has changed", () => {
  const turn: ConversationTurn = {
    ...RESULT, id: "t1", question: "Why?", command: "", answer: "So.", thinking: "", state: "complete", queries: [], created: 1, finished: 2,
  };
  const more = { ...KEPT, turns: [turn, { ...turn, id: "t2", question: "And?" }] };

  beforeEach(async () => {
    const opened = talk.open("c9");
    khojd.last("khoj/conversations/get").answer({ ...KEPT, turns: [turn] });
    await opened;
    news.splice(0);
  });

  it("goes one after another, so that the newest is what is shown", async () => {
    const looks = [talk.refresh(), talk.refresh(), talk.refresh()];
    expect(khojd.asked).toHaveLength(2);
    khojd.last("khoj/conversations/get").answer({ ...KEPT, turns: [{ ...turn, state: "failed", reason: "no" }] });
    await looks[0];
    await Promise.resolve();
    khojd.last("khoj/conversations/get").answer(more);
    await Promise.all(looks);
    expect(khojd.asked).toHaveLength(3);
    expect(talk.conversation.turns.map((one) => one.question)).toEqual(["Why?", "And?"]);
  });

  it("goes on after a look that failed", async () => {
    const looks = [talk.refresh(), talk.refresh()];
    khojd.last("khoj/conversations/get").refuse(new Cut());
    await expect(looks[0]).rejects.toThrow("was lost");
    await Promise.resolve();
    khojd.last("khoj/conversations/get").answer(more);
    await looks[1];
    expect(talk.conversation.turns).toHaveLength(2);
  });

  it("says nothing where nothing has", async () => {
    const look = talk.refresh();
    khojd.last("khoj/conversations/get").answer({ ...KEPT, turns: [turn] });
    await look;
    expect(news).toEqual([]);
  });
});

describe("a turn that is answered for another editor", () => {
  it("is followed to its end", async () => {
    vi.useFakeTimers();
    try {
      const turn: ConversationTurn = {
        ...RESULT, id: "t1", question: "Why?", command: "", answer: "So", thinking: "", state: "running", queries: [], created: 1, finished: 0,
      };
      const opened = talk.open("c9");
      khojd.last("khoj/conversations/get").answer({ ...KEPT, turns: [turn] });
      await opened;
      expect(talk.conversation.turns).toMatchObject([{ state: "elsewhere", answer: "So" }]);
      await vi.advanceTimersByTimeAsync(1_000);
      expect(khojd.asked).toHaveLength(2);
      khojd.last("khoj/conversations/get").answer({ ...KEPT, turns: [{ ...turn, answer: "So it is." }] });
      await vi.advanceTimersByTimeAsync(1_000);
      expect(talk.conversation.turns).toMatchObject([{ state: "elsewhere", answer: "So it is." }]);
      khojd.last("khoj/conversations/get").answer({ ...KEPT, turns: [{ ...turn, answer: "So it is.", state: "complete", finished: 2 }] });
      await vi.advanceTimersByTimeAsync(5_000);
      expect(talk.conversation.turns).toMatchObject([{ state: "complete", answer: "So it is." }]);
      expect(khojd.asked).toHaveLength(3);
    } finally {
      vi.useRealTimers();
    }
  });
});

describe("a conversation that comes late", () => {
  it("is not shown when another was opened meanwhile", async () => {
    const first = talk.open("c8");
    const slow = khojd.last("khoj/conversations/get");
    const second = talk.open("c9");
    khojd.last("khoj/conversations/get").answer(KEPT);
    await second;
    slow.answer({ ...KEPT, conversation: { ...KEPT.conversation, id: "c8", title: "Slow" } });
    await first;
    expect(talk.conversation.title).toBe("Hips");
  });

  it("does not take the place of a question that was asked meanwhile", async () => {
    const opened = talk.open("c9");
    const slow = khojd.last("khoj/conversations/get");
    void talk.ask("Why?");
    slow.answer(KEPT);
    await opened;
    expect(running(talk.conversation)?.question).toBe("Why?");
    expect(khojd.last("khoj/chat").options.signal?.aborted).toBe(false);
  });

  it("is not followed when nobody sees it any longer", async () => {
    vi.useFakeTimers();
    try {
      const turn: ConversationTurn = {
        ...RESULT, id: "t1", question: "Why?", command: "", answer: "So", thinking: "", state: "running", queries: [], created: 1, finished: 0,
      };
      const opened = talk.open("c9");
      khojd.last("khoj/conversations/get").answer({ ...KEPT, turns: [turn] });
      await opened;
      const again = talk.refresh();
      talk.dispose();
      khojd.last("khoj/conversations/get").answer({ ...KEPT, turns: [turn] });
      await again;
      await vi.advanceTimersByTimeAsync(5_000);
      expect(khojd.asked).toHaveLength(2);
    } finally {
      vi.useRealTimers();
    }
  });
});
