// The text of an answer and what it cites, in pieces that an editor can show, and the words for what is around it.
import type { Turn } from "./conversation";
import type { ChatUsage, Citation, Reference } from "./protocol";

/** A piece of the Markdown of an answer. `index` is that of the citation. The pieces' texts together are the answer. */
export type Segment = { kind: "text"; text: string } | { kind: "citation"; text: string; citation: Citation; index: number };

/** A source of an answer: each number once, with all that is cited from it. */
export interface Source {
  number: number;
  /** the note, and the heading in it */
  label: string;
  /** ISO day, or empty */
  date: string;
  /** the first of its quotes, or the passage; white space is single */
  quote: string;
  /** none of its citations says much of what it is cited for */
  weak: boolean;
  stale: boolean;
  citation: Citation | undefined;
  reference: Reference | undefined;
}

const MARKER = /^\[\^?(\d+)\]/;

/**
 * An answer in pieces, by where its citations' markers stand (`at`, in UTF-16 units).
 *
 * A citation without a marker at its place (of a persona that shows none) gives no piece; it is among the sources.
 */
export function segments(text: string, citations: readonly Citation[]): Segment[] {
  const found: Segment[] = [];
  let place = 0;
  const order = citations.map((citation, index) => ({ citation, index })).sort((one, other) => one.citation.at - other.citation.at);
  for (const { citation, index } of order) {
    const marker = MARKER.exec(text.slice(citation.at, citation.at + 16));
    if (citation.at < place || marker === null || Number(marker[1]) !== citation.number) continue;
    if (citation.at > place) found.push({ kind: "text", text: text.slice(place, citation.at) });
    found.push({ kind: "citation", text: marker[0], citation, index });
    place = citation.at + marker[0].length;
  }
  if (place < text.length) found.push({ kind: "text", text: text.slice(place) });
  return found;
}

/** The sources of an answer, in the order of their numbers. */
export function sources(citations: readonly Citation[], references: readonly Reference[]): Source[] {
  const numbers = [...new Set([...citations, ...references].map((one) => one.number))].sort((one, other) => one - other);
  return numbers.flatMap((number) => {
    const cited = citations.filter((one) => one.number === number);
    const reference = references.find((one) => one.number === number);
    const first = cited[0] ?? reference;
    if (first === undefined) return [];
    return [
      {
        number,
        label: source(first),
        date: reference?.date ?? "",
        quote: flat(cited[0]?.quote ?? reference?.text ?? ""),
        weak: cited.length > 0 && cited.every((one) => one.weak),
        stale: cited.some((one) => one.state === "stale"),
        citation: cited[0],
        reference,
      },
    ];
  });
}

/** The note and the heading that something is from, "Running plan › The knee". */
export function source(of: { title: string; path: string; headings: readonly string[] }): string {
  return [...new Set([of.title === "" ? name(of.path) : of.title, ...of.headings])].join(" › ");
}

/** One line about a citation: where it is from, what is doubtful about it, and its quote. */
export function about(citation: Citation): string {
  const doubts = [citation.state === "stale" ? " (changed since)" : "", citation.weak ? " (weak)" : ""].join("");
  return `${source(citation)}${doubts}: “${flat(citation.quote)}”`;
}

const ENDINGS: Readonly<Record<Turn["state"], string>> = {
  cancelled: "Stopped", complete: "", "cut-off": "Cut off", elsewhere: "Being answered elsewhere", failed: "Failed", running: "",
};

/** What is said below an answer that is not whole, and why it is not, in the same words in each editor; empty for one that is. */
export function remark({ state, reason }: Pick<Turn, "state" | "reason">): string {
  const word = ENDINGS[state];
  return word === "" || reason === "" ? word : `${word}: ${reason}`;
}

/** What an answer took, in one line; empty where nothing is known. */
export function spent(usage: ChatUsage | null): string {
  if (usage === null) return "";
  const parts: string[] = [];
  if (usage.promptTokens >= 0 && usage.answerTokens >= 0 && usage.promptTokens + usage.answerTokens > 0) {
    parts.push(`${count(usage.promptTokens)} + ${count(usage.answerTokens)} tokens`);
  }
  if (usage.totalSeconds > 0) parts.push(`${usage.totalSeconds.toFixed(1)} s`);
  if (usage.tokensPerSecond > 0 && usage.totalSeconds - usage.firstTokenSeconds >= 0.5) parts.push(`${usage.tokensPerSecond.toFixed(0)} tokens/s`);
  if (usage.cost > 0) parts.push(`costs ${usage.cost.toPrecision(2)}`);
  return parts.join(" · ");
}

/** Text in one line. */
export function flat(text: string): string {
  return text.split(/\s+/).filter((word) => word !== "").join(" ");
}

/** The name of a file without its folders. */
export function name(path: string): string {
  return path.split(/[/\\]/).at(-1) ?? path;
}

function count(number: number): string {
  return number.toLocaleString("en");
}
