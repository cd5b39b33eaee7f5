// What was found, as a person sees it: in the search and in the list of similar notes.
import { name } from "khojd-common/answer";
import { title } from "khojd-common/links";
import type { Hit } from "khojd-common/protocol";

/** Fill an element with a hit: where it is, what it says, and what it is marked with. */
export function showHit(into: HTMLElement, hit: Hit): void {
  into.empty();
  const head = into.createDiv({ cls: "khoj-hit-title" });
  if (hit.todo !== "") head.createSpan({ cls: "khoj-hit-todo", text: hit.todo });
  if (hit.priority !== "") head.createSpan({ cls: "khoj-hit-priority", text: hit.priority });
  const place = [label(hit), ...hit.headings].filter((part, index, all) => part !== all[index - 1]);
  place.forEach((part, index) => {
    if (index > 0) head.createSpan({ cls: "khoj-hit-between", text: " › ", attr: { "aria-hidden": "true" } });
    head.createSpan({ cls: index === 0 ? "khoj-hit-note" : "khoj-hit-heading", text: part });
  });
  marked(into.createDiv({ cls: "khoj-hit-snippet" }), hit.snippet, hit.highlights);
  const facts = into.createDiv({ cls: "khoj-hit-facts" });
  facts.createSpan({ text: `${name(hit.path)}:${hit.location.range.start.line + 1}` });
  if (hit.date !== "") facts.createSpan({ text: hit.date });
  for (const tag of hit.tags) facts.createSpan({ cls: "khoj-hit-tag", text: `#${tag}` });
  if (hit.unsaved) facts.createSpan({ cls: "khoj-hit-unsaved", text: "not saved yet" });
}

/** What a note is called: its title, else its file without the ending. */
function label(hit: Hit): string {
  return hit.title === "" ? title(hit).replace(/\.(?:md|org|txt)$/, "") : hit.title;
}

/** Text with marks; ranges count UTF-16 units. */
function marked(into: HTMLElement, text: string, ranges: readonly (readonly [number, number])[]): void {
  let place = 0;
  for (const [from, to] of ranges) {
    if (from < place) continue;
    into.appendText(text.slice(place, from));
    into.createEl("mark", { cls: "khoj-match", text: text.slice(from, to) });
    place = to;
  }
  into.appendText(text.slice(place));
}

/** The words that are marked in a snippet, each once. */
export function words(hit: Hit): string[] {
  return [...new Set(hit.highlights.map(([from, to]) => hit.snippet.slice(from, to).toLowerCase()))].filter((word) => word !== "");
}
