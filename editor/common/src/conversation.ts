// What a conversation looks like while it is talked: values of khoj/chat go in, what is to be shown comes out.
import type { ChatResult, ChatUsage, Citation, ConversationResult, ConversationTurn, Proposal, Reference, Requests, Step } from "./protocol";

/** A value that khoj/chat streams. */
export type ChatValue = Requests["khoj/chat"]["partial"];

/**
 * `cut-off`: the connection ended in the middle of the answer; khojd keeps what there was, and it can be asked anew.
 * `elsewhere`: it is being answered for another editor.
 */
export type TurnState = "cancelled" | "complete" | "cut-off" | "elsewhere" | "failed" | "running";

/** A question and what came of it so far. */
export interface Turn {
  /** khojd's id; empty before khojd has taken the question */
  id: string;
  /** tells turns of one view apart, also those without an id */
  key: number;
  question: string;
  answer: string;
  thinking: string;
  steps: readonly Step[];
  citations: readonly Citation[];
  references: readonly Reference[];
  proposals: readonly Proposal[];
  state: TurnState;
  /** why it is not complete, for people */
  reason: string;
  /** no model answered: the best passages, quoted */
  extractive: boolean;
  persona: string;
  /** provider/model, or empty */
  model: string;
  /** markers that were taken out because their number was never given */
  removed: number;
  usage: ChatUsage | null;
}

/** A conversation; each function below gives a new one and leaves its argument as it was. */
export interface Conversation {
  /** khojd's id; empty before its first question is taken */
  id: string;
  title: string;
  persona: string;
  /** search filters that hold in it */
  filters: string;
  turns: readonly Turn[];
  /** of the turn that comes next */
  nextKey: number;
}

/** A conversation in which nothing was said. */
export function empty(): Conversation {
  return { id: "", title: "", persona: "", filters: "", turns: [], nextKey: 1 };
}

/** A conversation as khojd keeps it. */
export function stored(result: ConversationResult): Conversation {
  const { id, title, persona, filters } = result.conversation;
  return { id, title, persona, filters, turns: result.turns.map(kept), nextKey: result.turns.length + 1 };
}

/** The turn that is being answered, if there is one. It is always the last. */
export function running(conversation: Conversation): Turn | undefined {
  const last = conversation.turns.at(-1);
  return last?.state === "running" ? last : undefined;
}

/**
 * Ask a question; with `replaces`, the id of a turn, in the place of that turn and all after it.
 * Questions that khojd has not taken are gone: the person has them back.
 */
export function begin(conversation: Conversation, question: string, replaces = ""): Conversation {
  const place = replaces === "" ? -1 : conversation.turns.findIndex((turn) => turn.id === replaces);
  const before = (place < 0 ? conversation.turns : conversation.turns.slice(0, place)).filter(known);
  return { ...conversation, turns: [...before, asked(conversation.nextKey, question)], nextKey: conversation.nextKey + 1 };
}

/** Take a value of the stream. It is of the turn that is being answered; without such a turn nothing changes. */
export function receive(conversation: Conversation, value: ChatValue): Conversation {
  switch (value.kind) {
    case "started":
      return change(conversation, () => ({ id: value.turn }), { id: value.conversation, title: value.title });
    case "step":
      return change(conversation, (turn) => ({ steps: [...turn.steps, value.step] }));
    case "thinking":
      return change(conversation, (turn) => ({ thinking: turn.thinking + value.text }));
    case "text":
      return change(conversation, (turn) => ({ answer: turn.answer + value.text }));
    case "citation":
      return change(conversation, (turn) => ({ citations: [...turn.citations, value.citation] }));
    case "proposal":
      return change(conversation, (turn) => ({ proposals: [...turn.proposals, value.proposal] }));
    case "references":
      return change(conversation, () => ({ references: value.references }));
  }
}

/** Take the reply of khoj/chat, whether its parts were streamed before or not. */
export function finish(conversation: Conversation, result: ChatResult): Conversation {
  const about = { id: result.conversation, title: result.title };
  return change(conversation, (turn) => ({
    id: result.turn,
    answer: result.text === "" ? turn.answer : result.text,
    steps: result.steps.length === 0 ? turn.steps : result.steps,
    citations: result.citations,
    references: result.references,
    proposals: result.proposals,
    state: result.state === "dry-run" ? "complete" : result.state,
    reason: result.reason,
    extractive: result.extractive,
    persona: result.persona,
    model: named(result.provider, result.model),
    removed: result.removed,
    usage: result.usage,
  }), about);
}

/** The request for the answer has failed with a reason. `state` is `cut-off` when that was the connection. */
export function fail(conversation: Conversation, reason: string, state: "cancelled" | "cut-off" | "failed" = "failed"): Conversation {
  return change(conversation, () => ({ state, reason }));
}

/** Whether khojd keeps this turn, so that it can be asked anew and forked. */
export function known(turn: Turn): boolean {
  return turn.id !== "";
}

/**
 * What is to be shown where khojd has `now`: that, or `shown` itself while nothing was said meanwhile, with its citations where
 * they stand by now. A question that khojd has not taken stays below; what was cut off here is known there as failed: no news.
 */
export function renewed(shown: Conversation, now: Conversation): Conversation {
  if (!same(shown, now) && !same({ ...shown, turns: shown.turns.filter(known) }, now)) return now;
  const turns = shown.turns.map((turn) => cited(turn, now.turns.find((one) => known(one) && one.id === turn.id) ?? turn));
  return turns.every((turn, place) => turn === shown.turns[place]) ? shown : { ...shown, turns };
}

/** A turn with the citations and references of another. */
function cited(turn: Turn, { citations, references }: Turn): Turn {
  const places = (one: Pick<Turn, "citations" | "references">) => JSON.stringify([one.citations, one.references]);
  return places(turn) === places({ citations, references }) ? turn : { ...turn, citations, references };
}

/** Whether two conversations have the same turns, in the same states. */
function same(shown: Conversation, now: Conversation): boolean {
  return (
    shown.id === now.id &&
    shown.title === now.title &&
    shown.turns.length === now.turns.length &&
    shown.turns.every((turn, place) => {
      const its = now.turns[place];
      if (its?.id !== turn.id) return false;
      if (turn.state === "cut-off" && (its.state === "failed" || its.state === "cancelled")) return true;
      return its.state === turn.state && its.answer.length === turn.answer.length;
    })
  );
}

/** Change the turn that is being answered, and something of the conversation; without such a turn nothing. */
function change(conversation: Conversation, changes: (turn: Turn) => Partial<Turn>, rest: Partial<Conversation> = {}) {
  const turn = running(conversation);
  if (turn === undefined) return conversation;
  return { ...conversation, ...rest, turns: [...conversation.turns.slice(0, -1), { ...turn, ...changes(turn) }] };
}

function asked(key: number, question: string): Turn {
  return {
    id: "",
    key,
    question,
    answer: "",
    thinking: "",
    steps: [],
    citations: [],
    references: [],
    proposals: [],
    state: "running",
    reason: "",
    extractive: false,
    persona: "",
    model: "",
    removed: 0,
    usage: null,
  };
}

function kept(turn: ConversationTurn, place: number): Turn {
  const { id, question, answer, thinking, steps, citations, references, proposals, extractive, persona, removed } = turn;
  return {
    id,
    key: place + 1,
    question,
    answer,
    thinking,
    steps,
    citations,
    references,
    proposals,
    state: turn.state === "running" ? "elsewhere" : turn.state,
    reason: turn.reason,
    extractive,
    persona,
    model: named(turn.provider, turn.model),
    removed,
    usage: turn.finished > 0 ? turn.usage : null,
  };
}

function named(provider: string, model: string): string {
  return model === "" ? "" : `${provider}/${model}`;
}
