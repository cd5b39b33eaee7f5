// An answer in blocks, so that only the last one is rendered again while it grows.
import { segments } from "khojd-common/answer";
import type { Citation } from "khojd-common/protocol";

/** Around the place of a citation in its array, in what is rendered. From the private use area; taken out of what models say. */
const OPEN = "\ue000";
const CLOSE = "\ue001";
export const SLOT = new RegExp(`${OPEN}(\\d+)${CLOSE}`, "g");

/** Blocks of Markdown; citations are slots. */
export function blocks(answer: string, citations: readonly Citation[]): string[] {
  const text = segments(answer, citations)
    .map((piece) => (piece.kind === "citation" ? `${OPEN}${piece.index}${CLOSE}` : piece.text.replace(/[\ue000\ue001]/g, "")))
    .join("");
  const found: string[][] = [];
  let fence = "";
  let apart = true; // whether the next line may begin a block
  for (const line of text.split("\n")) {
    const marks = /^\s{0,3}(`{3,}|~{3,})/.exec(line)?.[1] ?? "";
    const last = found.at(-1);
    if (last === undefined || (apart && fence === "" && /^\S/.test(line))) found.push([line]);
    else last.push(line);
    if (fence === "") fence = marks;
    else if (marks !== "" && marks.startsWith(fence) && line.trim() === marks) fence = "";
    apart = line.trim() === "";
  }
  return found.map((lines) => lines.join("\n")).filter((block) => block.trim() !== "");
}
