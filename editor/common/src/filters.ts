// Completion of the filters of docs/query.md, wherever a query is written.
import type { Channel } from "./channel";

/** Values that the notes have. */
export interface Known {
  tags: readonly string[];
  /** Names of notes and of folders. */
  files: readonly string[];
  languages: readonly string[];
}

/** Where they are not known. */
export const UNKNOWN: Known = { tags: [], files: [], languages: [] };

export interface FilterItem {
  /** What replaces the text from `start` to `end` of the query. */
  text: string;
  detail: string;
}

export interface FilterCompletions {
  start: number;
  end: number;
  items: FilterItem[];
}

const DAYS = [
  "today", "yesterday", "tomorrow", '"this week"', '"last week"', '"next week"', '"this month"', '"last month"', '"next month"',
  '"last 7 days"', '"next 7 days"', '"last 30 days"', '"this year"', '"last year"',
];
const PLANNED = ["any", ...DAYS];

interface Filter {
  about: string;
  /** What may be written behind `:`, or the kind of `Known` that is. */
  values?: readonly string[] | keyof Known;
  dates?: boolean;
  /** Whether a comma is "or". */
  several?: boolean;
}

const FILTERS: Readonly<Record<string, Filter>> = {
  tag: { about: "a tag, or one below it", values: "tags", several: true },
  file: { about: "part of a file's name, a folder's name, or a glob", values: "files" },
  todo: { about: "a TODO keyword", values: ["any", "TODO", "NEXT", "WAITING", "DONE"], several: true },
  priority: { about: "a priority", values: ["any", "A", "B", "C"], several: true },
  type: { about: "the kind of file", values: ["org", "markdown", "text"], several: true },
  lang: { about: "the language, as a two-letter code", values: "languages", several: true },
  prop: { about: "a property, or its value" },
  date: { about: "any date of the entry", values: DAYS, dates: true },
  scheduled: { about: "the day it is scheduled for", values: PLANNED, dates: true },
  deadline: { about: "the day it is due", values: PLANNED, dates: true },
  closed: { about: "the day it was closed", values: PLANNED, dates: true },
  modified: { about: "the day the file was changed", values: DAYS, dates: true },
};

const MOST = 50;
/** Filters whose values must be asked for. */
const VALUES = /(?:^|\s)[-+]?(?:tag|file|lang):/;

/** Whether completing a query takes values that the notes have. */
export function needsKnown(text: string): boolean {
  return VALUES.test(text);
}

/**
 * What the word at the cursor can become: names of filters once it has a letter, values behind a name.
 * `cursor`, `start` and `end` count UTF-16 units of `text`.
 */
export function completions(text: string, cursor: number, known: Known): FilterCompletions {
  const from = wordStart(text, cursor);
  const word = text.slice(from, cursor);
  const sign = /^[-+]/.test(word) ? 1 : 0;
  const filter = /^([a-z]+)(:|=|[<>]=?)/.exec(word.slice(sign));
  if (filter === null) return { start: from + sign, end: cursor, items: names(word.slice(sign)) };
  const [whole, name = "", operator = ":"] = filter;
  const described = FILTERS[name];
  let start = from + sign + whole.length;
  if (described === undefined) return { start, end: cursor, items: [] };
  if (described.several === true && !text.slice(start, cursor).startsWith('"')) start += text.slice(start, cursor).lastIndexOf(",") + 1;
  const typed = text.slice(start, cursor);
  const values = typeof described.values === "string" ? known[described.values].map(quoted) : (described.values ?? []);
  const wanted = typed.replace(/^"/, "").toLowerCase();
  const fitting = values
    .filter((value) => operator === ":" || value !== "any")
    .filter((value) => value.replace(/^"/, "").toLowerCase().includes(wanted) && value !== typed)
    .sort((one, other) => rank(one, wanted) - rank(other, wanted));
  return { start, end: cursor, items: fitting.slice(0, MOST).map((value) => ({ text: value, detail: described.about })) };
}

/** The query with an item in place of what it completes, and the cursor behind it; a value gets the space that ends it. */
export function completed(text: string, found: FilterCompletions, item: FilterItem): { text: string; cursor: number } {
  const rest = text.slice(found.end);
  const space = /[:=<>]$/.test(item.text) || rest.startsWith(" ") ? "" : " ";
  const head = text.slice(0, found.start) + item.text + space;
  return { text: head + rest, cursor: head.length };
}

/** What the notes have: the tags of what was changed last, the names of notes and of folders. */
export async function known(channel: Channel, signal?: AbortSignal): Promise<Known> {
  const options = signal === undefined ? {} : { signal };
  const [found, files] = await Promise.all([
    channel.request("khoj/search", { query: "modified<=today", limit: 200, allPassages: true }, options),
    channel.request("khoj/index/files", { states: ["indexed"], limit: 5000 }, options),
  ]);
  const parts = files.files.map((file) => file.path.split(/[\\/]/));
  return {
    tags: frequent(found.hits.flatMap((hit) => hit.tags)),
    files: [...new Set([...frequent(parts.map((path) => path.at(-2) ?? "")), ...parts.map((path) => path.at(-1) ?? "")])],
    languages: frequent(files.files.map((file) => file.language)),
  };
}

/** Each once, the most frequent first. */
function frequent(words: readonly string[]): string[] {
  const counts = new Map<string, number>();
  for (const word of words) if (word !== "") counts.set(word, (counts.get(word) ?? 0) + 1);
  return [...counts].sort(([, one], [, other]) => other - one).map(([word]) => word);
}

function names(typed: string): FilterItem[] {
  if (!/^[a-z]+$/.test(typed)) return [];
  return Object.entries(FILTERS)
    .filter(([name]) => name.startsWith(typed))
    .flatMap(([name, { about, dates }]) => [ // comparisons once the name is there
      { text: `${name}:`, detail: about },
      ...(dates === true && name === typed ? [{ text: `${name}>=`, detail: `${about}, not before` }, { text: `${name}<=`, detail: `${about}, not after` }] : []),
    ]);
}

/** Where the word that holds the cursor starts; what is in double quotes belongs to it. */
function wordStart(text: string, cursor: number): number {
  let start = 0;
  let inside = false;
  for (let at = 0; at < cursor; at++) {
    const sign = text[at];
    if (sign === "\\" && inside) at++;
    else if (sign === '"') inside = !inside;
    else if (!inside && sign !== undefined && /\s/.test(sign)) start = at + 1;
  }
  return start;
}

function rank(value: string, wanted: string): number {
  return value.replace(/^"/, "").toLowerCase().startsWith(wanted) ? 0 : 1;
}

/** A value as a query has it. */
function quoted(value: string): string {
  return /[\s",]/.test(value) ? `"${value.replace(/[\\"]/g, "\\$&")}"` : value;
}
