// Messages of khojd on paper, for tests.
import type { ChatUsage, Citation, Reference } from "../src/protocol";

const NOWHERE = { uri: "file:///notes/Running%20plan.md", range: { start: { line: 0, character: 0 }, end: { line: 0, character: 5 } } };

/** A citation that is as `more` says. */
export function citation(more: Partial<Citation>): Citation {
  return {
    number: 1, at: 0, location: NOWHERE, path: "/notes/Running plan.md", title: "Running plan", headings: ["The knee"],
    quote: "A stabbing\npain.", hash: "", weak: false, state: "fresh", ...more,
  };
}

/** A reference that is as `more` says. */
export function reference(more: Partial<Reference>): Reference {
  return {
    number: 1, location: NOWHERE, path: "/notes/Running plan.md", title: "Running plan", headings: ["The knee"],
    date: "", origin: "search", text: "A stabbing pain. Always.", ...more,
  };
}

/** What a turn took, as `more` says. */
export function usage(more: Partial<ChatUsage>): ChatUsage {
  return {
    promptTokens: -1, answerTokens: -1, requests: 1, mainPromptTokens: -1, mainAnswerTokens: -1, mainRequests: 1,
    cost: 0, retrievalSeconds: 0, firstTokenSeconds: 0, totalSeconds: 0, tokensPerSecond: 0, ...more,
  };
}

/** Numbers from 0 to 1 that are the same for the same seed (mulberry32). */
export function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}
