// Hits in the words of VS Code.
import { title } from "khojd-common/links";
import type { GrepMatch, Hit, Location, Position, Range } from "khojd-common/protocol";
import { sep } from "node:path";
import * as vscode from "vscode";

/** What can be shown, opened and linked to: a hit of a search, or a line of a grep. */
export interface Found {
  location: Location;
  path: string;
  title: string;
  /** TODO keyword and priority of the heading. */
  state: string;
  headings: string[];
  snippet: string;
  /** What of the note's text is marked where the hit is shown. */
  marks: string[];
  /** Behind the name: where it is, its date and tags. */
  about: string;
  unsaved: boolean;
}

export function ofHit(hit: Hit): Found {
  const state = [hit.todo, hit.priority === "" ? "" : `[#${hit.priority}]`].filter((part) => part !== "");
  return {
    location: hit.location,
    path: hit.path,
    title: title(hit),
    state: state.join(" "),
    headings: hit.headings,
    snippet: body(hit),
    marks: [...new Set(hit.highlights.map(([from, to]) => hit.snippet.slice(from, to)))],
    about: [where(hit), hit.date, hit.tags.map((tag) => `#${tag}`).join(" ")].filter((part) => part !== "").join("  "),
    unsaved: hit.unsaved,
  };
}

export function ofMatch(match: GrepMatch): Found {
  const { start, end } = match.location.range;
  const to = start.line === end.line ? end.character : match.line.length;
  return {
    location: match.location,
    path: match.path,
    title: title({ title: "", path: match.path }),
    state: "",
    headings: [],
    snippet: oneLine(match.line),
    marks: [match.line.slice(start.character, to)],
    about: where(match),
    unsaved: false,
  };
}

/** The text of a hit without the heading that it begins with, which is shown anyway. */
function body(hit: Hit): string {
  const [first = "", ...rest] = hit.snippet.split("\n");
  const heading = hit.headings.at(-1) ?? "";
  return oneLine(heading !== "" && /^[#*]+ /.test(first) && first.includes(heading) ? rest.join("\n") : hit.snippet);
}

/** What a hit's note is called, where neither the name of the hit nor of the file says so; or nothing. */
export function note(found: Found): string {
  const name = title({ title: "", path: found.path });
  const known = [name, name.replace(/\.[^.]+$/, ""), ...found.headings.slice(0, 1)];
  return found.headings.length === 0 || known.includes(found.title) ? "" : found.title;
}

/** The name of a hit in one line: its heading, else its note. */
export function label(found: Found): string {
  const name = found.headings.length === 0 ? found.title : found.headings.join(" › ");
  return [found.unsaved ? "●" : "", found.state, name].filter((part) => part !== "").join(" ");
}

function where(found: { path: string; location: Location }): string {
  return `${title({ title: "", path: found.path })}:${found.location.range.start.line + 1}`;
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, " ").trim();
}

/** Whether a path is in one of some folders. */
export function within(path: string, folders: readonly string[]): boolean {
  return folders.some((folder) => path === folder || path.startsWith(/[\\/]$/.test(folder) ? folder : `${folder}${sep}`));
}

export function uriOf(location: Pick<Location, "uri">): vscode.Uri {
  return vscode.Uri.parse(location.uri, true);
}

/** The address by which khojd knows a document. */
export function addressOf(uri: vscode.Uri): string {
  return uri.toString();
}

export function rangeOf(range: Range): vscode.Range {
  return new vscode.Range(range.start.line, range.start.character, range.end.line, range.end.character);
}

export function positionOf(position: vscode.Position): Position {
  return { line: position.line, character: position.character };
}

export function spanOf(range: vscode.Range): Range {
  return { start: positionOf(range.start), end: positionOf(range.end) };
}
