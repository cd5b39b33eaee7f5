// The state of the index in a few words: the same ones in each editor.
import type { IndexStatus } from "./protocol";

export interface Line {
  /** For a status bar: `120/300, paused`; empty when all is well and done. */
  text: string;
  /** A sentence for a tooltip or a message. */
  detail: string;
  kind: "ok" | "busy" | "paused" | "problem";
}

/** How the index is. */
export function line(status: IndexStatus): Line {
  const total = status.indexed + status.pending + status.failed;
  const behind = status.pending > 0 || status.vectorsPending > 0 || status.running !== null;
  const text = [
    status.pending > 0 ? `${status.indexed}/${total}` : "",
    status.paused ? "paused" : "",
    status.failed > 0 ? `${status.failed} failed` : "",
  ];
  const detail = [
    `${status.indexed} of ${total} files indexed`,
    status.failed > 0 ? `, ${status.failed} failed` : "",
    status.paused ? ", paused" : "",
    status.vectorsPending > 0 ? `, ${status.vectorsPending} entries not yet found by meaning` : "",
    ...problems(status).map((problem) => `; ${problem}`),
  ];
  const wrong = status.failed > 0 || problems(status).length > 0;
  return {
    text: text.filter((part) => part !== "").join(", "),
    detail: detail.join(""),
    kind: wrong ? "problem" : status.paused ? "paused" : behind ? "busy" : "ok",
  };
}

/** What is wrong with the index, beyond single files. A model that is off is no problem; what it says is `modelProblem`. */
export function problems(status: IndexStatus): string[] {
  const folders = status.folders.filter((folder) => folder.problem !== "").map((folder) => `${folder.path}: ${folder.problem}`);
  return [...status.problems, ...folders];
}

/** States of files, the worst first. */
export const STATES = ["failed", "pending", "skipped", "indexed"] as const;
