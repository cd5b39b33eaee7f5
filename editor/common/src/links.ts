// Links to what was found. How they are written into a note is the daemon's business (khoj/links/insert).
import type { Hit, InsertLinkParams, Location, Position } from "./protocol";

/** What has the daemon insert a link to a hit at a place of a note. */
export function insertion(hit: Pick<Hit, "location" | "headings">, uri: string, position: Position): InsertLinkParams {
  const heading = hit.headings.at(-1);
  return { textDocument: { uri }, position, target: hit.location.uri, ...(heading === undefined ? {} : { heading }) };
}

/** A link for the clipboard, which may be pasted anywhere: Markdown with the address and the line of the place. */
export function copied(hit: Pick<Hit, "location" | "headings" | "title" | "path">): string {
  const name = [title(hit), ...hit.headings.slice(-1)].filter((part, at, all) => part !== all[at - 1]).join(" › ");
  return `[${name.replace(/[\\[\]]/g, "\\$&")}](${address(hit.location)})`;
}

/** The address of a place, with its line in the way that editors write it, counted from 1. */
export function address(location: Location): string {
  const { line } = location.range.start;
  // Parentheses would end a Markdown link.
  const uri = location.uri.replace(/[()]/g, (sign) => (sign === "(" ? "%28" : "%29"));
  return line === 0 ? uri : `${uri}#L${line + 1}`;
}

type Place = Readonly<Position>;

/** The last line of a range, counted from 0. A range that ends at the start of a line ends with the line before. */
export function lastLine({ start, end }: { start: Place; end: Place }): number {
  return end.character === 0 && end.line > start.line ? end.line - 1 : end.line;
}

/** What a note is called: its title, or the name of its file. */
export function title(hit: Pick<Hit, "title" | "path">): string {
  return hit.title === "" ? (hit.path.split(/[\\/]/).at(-1) ?? hit.path) : hit.title;
}
