// Completion in a question: slash commands, @notes and [[links]].
import { name } from "./answer";
import type { Channel } from "./channel";
import type { FilterCompletions, FilterItem } from "./filters";

/** A note that can be mentioned. */
export interface Note {
  /** its file's name without the suffix */
  name: string;
  /** the folder it is in */
  folder: string;
}

/** The commands that a question may begin with; khojd's /help tells of them too. */
export const COMMANDS: Readonly<Record<string, string>> = {
  notes: "answer from the notes alone",
  general: "answer without the notes: none are sent",
  search: "show the passages that fit, without an answer",
  summarize: "what a note, a #tag or a span of time says",
  research: "search and read in several steps first",
  help: "what can be asked",
};

const MOST = 20;

/** What the text before the cursor can become. `cursor`, `start` and `end` count UTF-16 units. */
export function mentions(text: string, cursor: number, notes: readonly Note[]): FilterCompletions {
  const before = text.slice(0, cursor);
  const command = /^\s*\/([a-z]*)$/.exec(before);
  if (command !== null) {
    const [, typed = ""] = command;
    const items = Object.entries(COMMANDS).filter(([one]) => one.startsWith(typed));
    return { start: cursor - typed.length - 1, end: cursor, items: items.map(([one, about]) => ({ text: `/${one} `, detail: about })) };
  }
  const link = /\[\[([^[\]\n]*)$/.exec(before);
  if (link !== null) {
    const [whole, typed = ""] = link;
    const closed = text.startsWith("]]", cursor) ? 2 : 0;
    return { start: cursor - whole.length, end: cursor + closed, items: fitting(typed, notes, (one) => `[[${one}]] `) };
  }
  const at = /(?<![\p{L}\p{N}_@])@(?:"([^"\n]*)|([\p{L}\p{N}_./~+-]*))$/u.exec(before);
  if (at !== null) {
    const [whole, inQuotes, plain = ""] = at;
    const closed = inQuotes !== undefined && text.startsWith('"', cursor) ? 1 : 0;
    return { start: cursor - whole.length, end: cursor + closed, items: fitting(inQuotes ?? plain, notes, (one) => `${mention(one)} `) };
  }
  return { start: cursor, end: cursor, items: [] };
}

/** How a question names a note. */
export function mention(note: string): string {
  return /^[\p{L}\p{N}_./~+-]*[\p{L}\p{N}_/]$/u.test(note) ? `@${note}` : `@"${note}"`;
}

/** The notes that can be mentioned, by name. */
export async function notes(channel: Channel): Promise<Note[]> {
  const { files } = await channel.request("khoj/index/files", { states: ["indexed"], limit: 5000 });
  return files
    .map(({ path }) => ({ name: name(path).replace(/\.[^.]+$/, ""), folder: path.split(/[/\\]/).at(-2) ?? "" }))
    .filter((one) => !/["[\]]/.test(one.name))
    .sort((one, other) => one.name.localeCompare(other.name));
}

function fitting(typed: string, from: readonly Note[], written: (name: string) => string): FilterItem[] {
  const wanted = typed.toLowerCase();
  const rank = (one: Note) => (one.name.toLowerCase().startsWith(wanted) ? 0 : 1);
  return from
    .filter((one) => one.name.toLowerCase().includes(wanted))
    .sort((one, other) => rank(one) - rank(other))
    .slice(0, MOST)
    .map((one) => ({ text: written(one.name), detail: one.folder }));
}
