// Searching in the shipped plugin, over the socket of a real khojd.
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";

import { Place } from "./daemon";
import { all, begin, element, press, type, until } from "./shipped";
import type { World } from "./world/app";
import { opened } from "./world/electron";

const NOTES = {
  "tea.md": "# Tea\n\nGreen tea 🍵🍵 is steamed, not roasted.\n\n## Oolong\n\nHalf oxidised, between green and black.\n",
  "Kettle.md": "---\ntags: [shopping]\n---\n# Kettle\n\nA steel kettle ![](http://127.0.0.1:9/x.png) <img src=y> costs **forty**.\n",
  "errands.org": "* TODO Buy a kettle :shopping:\nA copper one.\n",
};

let place: Place;
let world: World;

beforeAll(async () => {
  place = new Place(NOTES);
  await place.indexed();
});
afterAll(() => place.clear());
beforeEach(async () => {
  world = await begin(place, NOTES);
});
afterEach(() => world.unload());

async function search(query: string): Promise<HTMLInputElement> {
  world.run("search");
  const field = element<HTMLInputElement>(".khoj-search-field");
  type(field, query);
  await until("hits", () => all(".khoj-hit").length > 0);
  return field;
}

test("hits come while it is typed, with their headings and the words marked", async () => {
  await search("oxidised");
  expect(all(".khoj-hit-title")[0]).toBe("tea › Tea › Oolong");
  expect(all(".khoj-hit .khoj-match")).toContain("oxidised");
});

test("what was typed last counts", async () => {
  const field = await search("oxidised");
  type(field, "steel");
  type(field, "copper");
  await until("the last query's hits", () => all(".khoj-hit-note")[0] === "errands");
  expect(all(".khoj-hit-todo")).toContain("TODO");
});

test("Enter opens the note at the exact range behind characters outside the basic plane, and marks it", async () => {
  await search("steamed");
  press("Enter");
  const note = await until("the note", () => world.shown);
  expect(note.file.path).toBe("tea.md");
  expect(world.modal).toBeUndefined();
  await until("the mark", () => note.contentEl.querySelector(".khoj-found"));
  expect(element(".khoj-found", note.contentEl).textContent).toContain("Green tea 🍵🍵 is steamed");
  expect(note.editor.getCursor().line).toBe(2);
});

test("a mark goes when the note is changed", async () => {
  await search("steamed");
  press("Enter");
  const note = await until("the note", () => world.shown);
  await until("the mark", () => note.contentEl.querySelector(".khoj-found"));
  note.editor.replaceRange("x", { line: 0, ch: 0 });
  expect(note.contentEl.querySelector(".khoj-found")).toBeNull();
});

test("Mod+Enter opens the note to the right", async () => {
  const first = await world.note("Kettle.md");
  await search("steamed");
  press("Enter", { ctrlKey: true });
  await until("a second pane", () => world.workspace.getLeavesOfType("markdown").length === 2);
  expect(first.containerEl.isConnected).toBe(true);
  expect(world.shown?.file.path).toBe("tea.md");
});

test("Shift+Enter makes a note that is named after the query, and opens it the next time", async () => {
  const field = await search("steel");
  type(field, "steel: which/one?");
  press("Enter", { shiftKey: true });
  const note = await until("the new note", () => world.shown);
  expect(note.file.basename).toBe("steel which one");
  expect(place.read("steel which one.md")).toBe("");
});

test("a note that Obsidian does not show is handed to the system, which is said", async () => {
  await search("copper");
  press("Enter");
  await until("the file", () => opened.some((path) => path.endsWith("errands.org")));
  expect(world.said.join("\n")).toContain("errands.org, line 2, is no Markdown note");
});

test("the section of the selected hit is rendered, without pictures and HTML, its words marked", async () => {
  await search("forty");
  const preview = await until("the preview", () => document.querySelector(".khoj-search-preview strong"));
  expect(preview.textContent).toBe("forty");
  expect(all(".khoj-search-preview .khoj-match")).toEqual(["forty"]);
  expect(document.querySelector(".khoj-search-preview img")).toBeNull();
  expect(element(".khoj-search-preview").textContent).toContain("<img src=y>");
});

test("Tab completes the name of a filter and then a tag that the notes have", async () => {
  const field = await search("kettle");
  await until("the tags", () => {
    type(field, "kettle tag:sh");
    return all(".khoj-completion-text").includes("shopping");
  });
  type(field, "kettle ta");
  press("Tab");
  expect(field.value).toBe("kettle tag:");
  type(field, "kettle tag:sh");
  press("Tab");
  expect(field.value).toBe("kettle tag:shopping ");
  await until("both notes", () => new Set(all(".khoj-hit-note")).size === 2);
});

test("a query that cannot be understood says why in the window", async () => {
  const field = await search("kettle");
  type(field, "date:nonsense");
  await until("the reason", () => element(".khoj-search-line").classList.contains("khoj-wrong"));
  expect(element(".khoj-search-line").textContent).toContain("nonsense");
  expect(all(".khoj-hit")).toEqual([]);
});

test("a chosen hit becomes a link at the cursor, in the style of the vault", async () => {
  const note = await world.note("Kettle.md");
  await until("the index", () => element(".khoj-bar-item").getAttribute("aria-label")?.includes("files indexed"));
  note.editor.setCursor({ line: 5, ch: 8 });
  world.run("insert-link");
  const field = element<HTMLInputElement>(".khoj-search-field");
  type(field, "oxidised");
  await until("hits", () => all(".khoj-hit").length > 0);
  press("Enter");
  await until("the link", () => note.editor.getValue().includes("tea"));
  expect(note.editor.getLine(5)).toMatch(/^A steel \[\[tea#Oolong\]\]kettle/);
});

test("Alt+Enter in the search inserts a link to the hit", async () => {
  const note = await world.note("Kettle.md");
  await until("the index", () => element(".khoj-bar-item").getAttribute("aria-label")?.includes("files indexed"));
  note.editor.setCursor({ line: 5, ch: 0 });
  await search("oxidised");
  press("Enter", { altKey: true });
  await until("the link", () => note.editor.getLine(5).startsWith("[[tea#Oolong]]A steel"));
});
