import { describe, expect, it } from "vitest";

import { begin, type ChatValue, type Conversation, empty, fail, finish, known, receive, renewed, running, stored } from "../src/conversation";
import type { ChatResult, ConversationTurn } from "../src/protocol";
import { citation, random, usage } from "./paper";

const STREAM: ChatValue[] = [
  { kind: "started", conversation: "c1", turn: "t1", title: "Knees" },
  { kind: "step", step: { kind: "search", text: "searched: knee", tool: "", data: {} } },
  { kind: "thinking", text: "The knee 🦵 hurts…" },
  { kind: "step", step: { kind: "model", text: "small/tiny answers, on this machine", tool: "", data: {} } },
  { kind: "text", text: "It is the band 🎗 along the thigh [1]" },
  { kind: "citation", citation: citation({ number: 1, at: 34 }) },
  { kind: "text", text: ", and 膝 [2]" },
  { kind: "citation", citation: citation({ number: 2, at: 43 }) },
  { kind: "text", text: "." },
  { kind: "references", references: [] },
];
const RESULT: ChatResult = {
  conversation: "c1",
  title: "Knees",
  turn: "t1",
  state: "complete",
  reason: "",
  text: "",
  extractive: false,
  persona: "default",
  provider: "small",
  model: "tiny",
  citations: [citation({ number: 1, at: 34 }), citation({ number: 2, at: 43, state: "moved" })],
  removed: 0,
  references: [],
  steps: [],
  proposals: [],
  usage: usage({}),
};

function told(values: readonly ChatValue[], from: Conversation = begin(empty(), "Why?")): Conversation {
  return values.reduce(receive, from);
}

/** The same stream with its texts cut at random places, between code units too. */
function cut(values: readonly ChatValue[], seed: number): ChatValue[] {
  const next = random(seed);
  return values.flatMap((value): ChatValue[] => {
    if (value.kind !== "text" && value.kind !== "thinking") return [value];
    const parts: ChatValue[] = [];
    for (let place = 0; place < value.text.length; ) {
      const end = place + 1 + Math.floor(next() * value.text.length);
      parts.push({ ...value, text: value.text.slice(place, end) });
      place = end;
    }
    return parts;
  });
}

describe("a stream", () => {
  it("gives the same conversation however it is cut", () => {
    const whole = told(STREAM);
    for (let seed = 1; seed <= 300; seed++) expect(told(cut(STREAM, seed))).toEqual(whole);
  });

  it("is one turn that runs until the reply", () => {
    const before = told(STREAM);
    expect(running(before)?.answer).toBe("It is the band 🎗 along the thigh [1], and 膝 [2].");
    expect(running(before)?.thinking).toBe("The knee 🦵 hurts…");
    expect(running(before)?.steps.map((step) => step.kind)).toEqual(["search", "model"]);
    const after = finish(before, RESULT);
    expect(running(after)).toBeUndefined();
    expect(after.turns).toHaveLength(1);
    expect(after.turns[0]).toMatchObject({ id: "t1", state: "complete", model: "small/tiny", answer: before.turns[0]?.answer });
    expect(after.turns[0]?.citations.map((one) => one.state)).toEqual(["fresh", "moved"]);
  });

  it("ends with what the reply has where nothing was streamed", () => {
    const after = finish(begin(empty(), "Why?"), { ...RESULT, text: "So.", steps: [{ kind: "notice", text: "a", tool: "", data: {} }] });
    expect(after).toMatchObject({ id: "c1", title: "Knees", turns: [{ answer: "So.", steps: [{ text: "a" }] }] });
  });

  it("leaves the conversation before it as it was", () => {
    const start = begin(empty(), "Why?");
    const frozen = JSON.stringify(start);
    finish(told(STREAM, start), RESULT);
    expect(JSON.stringify(start)).toBe(frozen);
  });

  it("changes nothing when no turn runs", () => {
    const after = finish(told(STREAM), RESULT);
    expect(receive(after, { kind: "text", text: "late" })).toEqual(after);
    expect(finish(after, { ...RESULT, state: "failed" }).turns).toEqual(after.turns);
    expect(fail(after, "late")).toEqual(after);
  });
});

describe("a turn", () => {
  it("that failed keeps what there was of it, and says why", () => {
    const after = fail(told(STREAM.slice(0, 5)), "khojd has ended", "cut-off");
    expect(after.turns[0]).toMatchObject({ state: "cut-off", reason: "khojd has ended", answer: "It is the band 🎗 along the thigh [1]" });
    expect(running(after)).toBeUndefined();
  });

  it("is known once khojd has taken it", () => {
    const refused = fail(begin(empty(), "/nonsense"), "there is no command /nonsense");
    expect(refused.turns.map(known)).toEqual([false]);
    expect(told(STREAM.slice(0, 1)).turns.map(known)).toEqual([true]);
  });

  it("that is asked anew takes the place of the old one and those after it", () => {
    let talk = finish(told(STREAM), RESULT);
    talk = finish(begin(talk, "And then?"), { ...RESULT, turn: "t2" });
    talk = finish(begin(talk, "And?"), { ...RESULT, turn: "t3" });
    const again = begin(talk, "And then, really?", "t2");
    expect(again.turns.map((turn) => turn.question)).toEqual(["Why?", "And then, really?"]);
    expect(new Set([...talk.turns, ...again.turns].map((turn) => turn.key)).size).toBe(4);
    expect(begin(talk, "More?", "gone").turns).toHaveLength(4);
  });

  it("that khojd did not take is gone with the next question", () => {
    const refused = fail(begin(finish(told(STREAM), RESULT), "/nonsense"), "no such command");
    expect(refused.turns).toHaveLength(2);
    expect(begin(refused, "Sense?").turns.map((turn) => turn.question)).toEqual(["Why?", "Sense?"]);
  });
});

describe("a stored conversation", () => {
  const turn: ConversationTurn = {
    ...RESULT,
    id: "t1",
    question: "Why?",
    command: "",
    answer: "So [1].",
    thinking: "hm",
    state: "complete",
    queries: [],
    created: 1,
    finished: 2,
  };
  const conversation = {
    id: "c1", title: "Knees", titled: true, created: 1, updated: 2, turns: 2, persona: "writer", filters: "tag:health", forkedFrom: "",
  };

  it("is shown as one that was talked here, and goes on", () => {
    const shown = stored({ conversation, turns: [turn, { ...turn, id: "t2", state: "failed", reason: "no" }], aside: [] });
    expect(shown).toMatchObject({ id: "c1", title: "Knees", persona: "writer", filters: "tag:health" });
    expect(shown.turns.map((one) => [one.id, one.state, one.reason])).toEqual([["t1", "complete", ""], ["t2", "failed", "no"]]);
    const more = begin(shown, "And?");
    expect(running(more)?.question).toBe("And?");
    expect(new Set(more.turns.map((one) => one.key)).size).toBe(3);
  });

  it("has nothing that runs here", () => {
    const shown = stored({ conversation, turns: [{ ...turn, state: "running", finished: 0 }], aside: [] });
    expect(running(shown)).toBeUndefined();
    expect(shown.turns[0]).toMatchObject({ state: "elsewhere", usage: null });
  });

  const kept = (...turns: ConversationTurn[]) => stored({ conversation, turns, aside: [] });

  it("is the same until a turn is added or ends", () => {
    const shown = kept(turn);
    expect(renewed(shown, kept(turn))).toBe(shown);
    for (const now of [
      kept(turn, { ...turn, id: "t2" }),
      kept({ ...turn, state: "cancelled" }),
      stored({ conversation: { ...conversation, title: "Hips" }, turns: [turn], aside: [] }),
    ]) expect(renewed(shown, now)).toBe(now);
    const lost = fail(begin(shown, "And?"), "lost", "cut-off");
    expect(renewed(lost, kept(turn, { ...turn, id: "", state: "failed", answer: "" }))).toBe(lost);
  });

  it("has its citations where they are by now, and nothing else that is new", () => {
    const one = citation({ number: 1, at: 3 });
    const cited = { ...turn, citations: [one] };
    const shown = fail(begin(kept(turn, { ...cited, id: "t2" }), "/nonsense"), "there is no command /nonsense");
    expect(renewed(shown, kept(turn, { ...cited, id: "t2" }))).toBe(shown);
    const moved = renewed(shown, kept(turn, { ...cited, id: "t2", citations: [{ ...one, state: "stale" }] }));
    expect(moved.turns[1]?.citations[0]?.state).toBe("stale");
    expect(moved.turns[0]).toBe(shown.turns[0]);
    expect(moved.turns[2]).toBe(shown.turns[2]); // the question that khojd has refused
  });
});
