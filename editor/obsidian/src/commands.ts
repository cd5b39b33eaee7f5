// The commands. None has a key of its own: Obsidian's settings give them.
import { shell } from "electron";
import { mkdir, writeFile } from "node:fs/promises";
import * as path from "node:path";

import { ask } from "./dialogs";
import type { Khoj } from "./khoj";
import { newNote, today } from "./newnote";
import { SearchModal } from "./search";
import type { Part } from "./similar";

/** Add all commands to the plugin. */
export function commands(khoj: Khoj): void {
  const doing = (run: () => unknown) => {
    const done = run();
    if (done instanceof Promise) khoj.attempt(done);
  };
  const add = (id: string, name: string, run: () => unknown) => {
    khoj.plugin.addCommand({ id, name, callback: () => { doing(run); } });
  };
  /** A command that is there as long as a note is. */
  const about = (id: string, name: string, run: () => unknown) => {
    const checkCallback = (checking: boolean) => {
      const there = khoj.notes.atHand() !== undefined;
      if (there && !checking) doing(run);
      return there;
    };
    khoj.plugin.addCommand({ id, name, checkCallback });
  };
  const similar = (part: Part) => async () => { (await khoj.similar())?.look(part); };
  add("search", "Search notes", () => { search(khoj, khoj.notes.atHand()?.view.editor.getSelection() ?? ""); });
  about("insert-link", "Insert link to a note", () => { link(khoj); });
  about("similar-cursor", "Show notes similar to what is at the cursor", similar("cursor"));
  about("similar-selection", "Show notes similar to the selection", similar("selection"));
  about("similar-note", "Show notes similar to this note", similar("note"));
  add("chat", "Open chat", () => khoj.chat());
  add("chat-new", "Begin a new conversation", async () => { (await khoj.chat())?.begin(); });
  about("chat-about", "Ask about the selection or this note", async () => { (await khoj.chat())?.attach(); });
  add("conversations", "Show all conversations", async () => { (await khoj.chat())?.conversations(); });
  add("today", "Open the note of today", () => today(khoj));
  add("new-note", "Make a note from a template", () => newNote(khoj));
  add("status", "Show the index and its files", () => khoj.showStatus());
  add("update", "Update the index", () => khoj.update([]));
  add("pause", "Pause or resume the index", () => khoj.pause());
  add("add-vault", "Index this vault", () => khoj.addVault());
  add("configuration", "Open the configuration file", () => configuration(khoj));
  add("log", "Open the log", async () => { await opened((await khoj.connection.request("khoj/daemon/status", {})).log); });
  add("reconnect", "Connect again", () => khoj.reconnect());
}

/** Search for a text, of which the first line is taken. */
function search(khoj: Khoj, text: string): void {
  new SearchModal(khoj, { placeholder: "Search notes by words and meaning …", query: text.split("\n", 1)[0] ?? "" }).open();
}

function link(khoj: Khoj): void {
  new SearchModal(khoj, {
    placeholder: "Insert a link to …",
    query: khoj.notes.atHand()?.view.editor.getSelection().split("\n", 1)[0] ?? "",
    choose: (hit) => { khoj.attempt(khoj.insertLink(hit)); },
  }).open();
}

async function configuration(khoj: Khoj): Promise<void> {
  const { file, exists } = await khoj.connection.request("khoj/config/get", {});
  if (!exists) {
    const answer = await ask(khoj.app, `There is no configuration file yet. Make ${file}?`, ["Make it", "No"]);
    if (answer !== "Make it") return;
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, "# The configuration of khojd. `khojd config --help` tells of it.\n", { flag: "wx" });
  }
  await opened(file);
}

/** Have the system open a file. */
async function opened(file: string): Promise<void> {
  const problem = await shell.openPath(file);
  if (problem !== "") throw new Error(`${file} cannot be opened: ${problem}`);
}
