// Links to notes in what a model has written.
import { getLinkpath, type App, type PaneType } from "obsidian";

import { ask } from "./dialogs";
import type { Khoj } from "./khoj";
import { SearchModal } from "./search";

const SEARCH = "Search for it";
const MAKE = "Make the note";

/** Show which links of what was rendered lead to no note, as Obsidian does in notes. */
export function markUnresolved(app: App, root: HTMLElement): void {
  for (const link of root.querySelectorAll<HTMLElement>("a.internal-link")) link.toggleClass("is-unresolved", !there(app, target(link)));
}

/** What a link is to, as it was written: `note#heading`. */
export function target(link: HTMLElement): string {
  return link.dataset.href ?? link.getAttribute("href") ?? "";
}

/** Go where a link leads. Obsidian would make a note that is not there; what a model names is made only when a person says so. */
export async function follow(khoj: Khoj, link: string, where: PaneType | boolean): Promise<void> {
  if (there(khoj.app, link)) {
    await khoj.app.workspace.openLinkText(link, "", where);
    return;
  }
  const name = (getLinkpath(link).split("/").at(-1) ?? "").replace(/\.md$/i, "").trim();
  if (name === "") return;
  const answer = await ask(khoj.app, `The answer names “${name}”. There is no such note.`, [SEARCH, MAKE, "Leave it"], "No such note");
  if (answer === SEARCH) new SearchModal(khoj, { placeholder: "Search notes by words and meaning …", query: name }).open();
  if (answer === MAKE) await khoj.createNote(name);
}

function there(app: App, link: string): boolean {
  return app.metadataCache.getFirstLinkpathDest(getLinkpath(link), "") !== null;
}
