// A conversation in the shipped plugin: khojd is real, the model says what it is told to say.
import { readdirSync, rmSync } from "node:fs";
import * as path from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";

import { Place } from "./daemon";
import { Model, type Saying } from "./model";
import { all, begin, element, press, type, until, WHOLE } from "./shipped";
import type { World } from "./world/app";
import { MarkdownRenderer } from "./world/obsidian";

const NOTES = {
  "tea.md": "# Tea\n\nGreen tea 🍵 is steamed, not roasted.\n\n## Oolong\n\nHalf oxidised, between green and black.\n",
  "coal.md": "# Coal\n\nThe samovar burns charcoal.\n",
};
const EDIT = { action: "replace", note: "tea", old: "between green and black", new: "between green 🍃 and black", why: "a leaf was missing" };
const NASTY = '<img src=x onerror="alert(1)"> ![p](http://127.0.0.1:9/a.png) [bad](javascript:alert(1)) [good](https://example.org) ![[tea]] [[tea]]\n\n```dataviewjs\nalert(1)\n```\n';

let release: () => void;
let hold: Promise<void>;

function saying(question: string, whole: string): Saying {
  if (question.includes("Talk for ever")) return { pieces: ["Well then.\n\n", "On and on ", "and on"], hold };
  if (question.includes("Be nasty")) return { pieces: [NASTY] };
  if (question.includes("Name notes")) return { pieces: ["See [[tea#Oolong|oolong]] and [[ideas/New idea]]."] };
  if (whole.includes("Please edit")) {
    const done = whole.includes("🍃");
    return { pieces: [done ? "I propose it." : JSON.stringify({ tool: "propose_edit", arguments: EDIT })] };
  }
  return { thinking: "the user asks about tea", pieces: ["First.\n\n", "Green tea 🍵 ", "is **ste", "amed** [", "1]", ". That is all."] };
}

const model = new Model(saying);
let place: Place;
let world: World;

beforeAll(async () => {
  await model.listen();
  place = new Place(NOTES, model.config);
  await place.indexed();
});
afterAll(async () => {
  await place.clear();
  model.close();
});
beforeEach(async () => {
  hold = new Promise((resolve) => { release = resolve; });
  world = await begin(place, NOTES);
  world.run("chat");
  await until("the chat", () => document.querySelector(".khoj-chat"));
});
afterEach(async () => {
  release();
  await world.unload();
});

/** Ask, and wait for the answer, to its end or until something is in it. */
async function asked(question: string, last = WHOLE): Promise<HTMLElement> {
  type(element<HTMLTextAreaElement>(".khoj-question-field"), question);
  element<HTMLTextAreaElement>(".khoj-question-field").focus();
  press("Enter");
  await until(`the answer to ${question}`, () => document.querySelector(last));
  return element(".khoj-turn:last-child");
}

function button(label: string, within: ParentNode = document): HTMLButtonElement {
  return element<HTMLButtonElement>(`button[aria-label="${label}"]`, within);
}

/** The conversation that was changed last, as khojd keeps it. */
async function kept(): Promise<{ persona: string; filters: string }> {
  const { conversations } = JSON.parse(await place.khojd("conversations", "list", "--json")) as { conversations: { persona: string; filters: string }[] };
  return conversations[0] ?? { persona: "none", filters: "none" };
}

test("who may answer is shown at once, and model servers are asked only when somebody is about to choose one", async () => {
  const before = model.listed;
  const choices = element<HTMLSelectElement>("select[aria-label=Model]");
  await until("the configured model", () => Array.from(choices.options).some((one) => one.value === "tiny/tiny"));
  expect(model.listed).toBe(before);
  choices.focus();
  await until("the question to the server", () => model.listed > before);
});

test("an answer streams in, cites, and folds what was thought and done", async () => {
  const turn = await asked("How is green tea made?");
  expect(element(".khoj-answer", turn).textContent.replace(/\s+/g, " ").trim()).toBe("First. Green tea 🍵 is steamed 1. That is all.");
  expect(element(".khoj-answer strong", turn).textContent).toBe("steamed");
  expect(element<HTMLDetailsElement>(".khoj-work", turn).open).toBe(false);
  expect(element(".khoj-thinking", turn).textContent).toBe("the user asks about tea");
  expect(all(".khoj-source-quote", turn)[0]).toContain("Green tea 🍵 is steamed");
});

test("a citation is an internal link: a click goes to what is cited, hovering shows it", async () => {
  const turn = await asked("How is green tea made?");
  const link = element("a.khoj-citation", turn);
  const hovered: unknown[] = [];
  world.workspace.on("hover-link", (event) => { hovered.push(event); });
  link.dispatchEvent(new MouseEvent("mouseover", { bubbles: true }));
  expect(hovered[0]).toMatchObject({ source: "khoj-chat", linktext: "tea.md#Tea", targetEl: link });
  link.click();
  const note = await until("the note", () => world.shown);
  await until("the mark", () => note.contentEl.querySelector(".khoj-found"));
  expect(element(".khoj-found", note.contentEl).textContent).toContain("is steamed");
  link.dispatchEvent(new MouseEvent("auxclick", { button: 1, bubbles: true, cancelable: true }));
  await until("another tab", () => world.workspace.getLeavesOfType("markdown").length === 2);
});

test("where a source was changed, its citation says so, and no longer once it is as it was", async () => {
  const turn = await asked("How is green tea made?");
  const cited = () => element("a.khoj-citation", turn).getAttribute("aria-label") ?? "";
  expect(cited()).not.toContain("changed since");
  place.put("tea.md", "# Tea\n\nBlack tea is fermented.\n");
  await until("the note of the change", () => cited().includes("changed since"));
  place.put("tea.md", NOTES["tea.md"]);
  await until("the source that is there again", () => !cited().includes("changed since"));
});

test("a link to a note that is not there is shown as one, and nothing is made of it unless a person says so", async () => {
  const turn = await asked("Name notes");
  const links = Array.from(turn.querySelectorAll<HTMLElement>(".khoj-answer a.internal-link"));
  expect(links.map((link) => [link.textContent, link.hasClass("is-unresolved")])).toEqual([["oolong", false], ["ideas/New idea", true]]);
  const [there, missing] = links;
  const hovered: unknown[] = [];
  world.workspace.on("hover-link", (event) => { hovered.push(event); });
  for (const link of links) link.dispatchEvent(new MouseEvent("mouseover", { bubbles: true }));
  expect(hovered).toMatchObject([{ linktext: "tea#Oolong" }]);
  const notes = () => readdirSync(place.notes).sort();
  const before = notes();
  missing?.click();
  await until("the question", () => document.querySelector(".modal-button-container"));
  expect(world.modal?.contentEl.textContent).toContain("The answer names “New idea”. There is no such note.");
  expect([world.workspace.followed, notes()]).toEqual([[], before]);
  element(".modal-button-container .mod-cta").click();
  const field = await until("the search", () => document.querySelector<HTMLInputElement>(".khoj-search-field"));
  expect(field.value).toBe("New idea");
  expect(notes()).toEqual(before);
  press("Escape");
  missing?.click();
  const make = await until("the question", () => Array.from(document.querySelectorAll<HTMLElement>(".modal-button-container button"))
    .find((one) => one.textContent === "Make the note"));
  make.click();
  await until("the note", () => world.shown?.file.path === "New idea.md");
  rmSync(path.join(place.notes, "New idea.md"));
  there?.click();
  await until("the other note", () => world.shown?.file.path === "tea.md");
  expect(world.workspace.followed).toEqual(["tea#Oolong"]);
});

test("blocks that are whole are not rendered again while the answer grows", async () => {
  const turn = await asked("Talk for ever", ".khoj-turn:last-child .khoj-block");
  await until("the second block", () => all(".khoj-block", turn).at(-1)?.startsWith("On and on"));
  const first = element(".khoj-block", turn);
  MarkdownRenderer.rendered.length = 0;
  release();
  await until("the end", () => document.querySelector(WHOLE));
  expect(all(".khoj-block", turn)).toEqual(["Well then.", "On and on and on"]);
  expect(element(".khoj-block", turn)).toBe(first);
  expect(MarkdownRenderer.rendered.filter((text) => text.startsWith("Well"))).toEqual([]);
});

test("an answer is stopped, keeps what there is, and can be asked again", async () => {
  const turn = await asked("Talk for ever", ".khoj-turn:last-child .khoj-block");
  await until("the second block", () => element(".khoj-answer", turn).textContent.includes("On and on"));
  expect(element(".khoj-send").textContent).toBe("Stop");
  element(".khoj-send").click();
  await until("its end", () => element(".khoj-remark", turn).textContent.startsWith("Stopped"));
  expect(element(".khoj-answer", turn).textContent).toContain("On and on");
  await until("the model to be left", () => model.left > 0);
  release();
  button("Ask again", turn).click();
  await until("the whole answer", () => document.querySelector(WHOLE) !== null && all(".khoj-block").at(-1) === "On and on and on");
  expect(all(".khoj-turn")).toHaveLength(1);
});

test("a question is edited, and replaces the one before; a fork leaves the first conversation as it is", async () => {
  const turn = await asked("How is green tea made?");
  const conversation = () => world.workspace.getLeavesOfType("khoj-chat")[0]?.view?.getState().conversation;
  const first = conversation();
  button("Go on from here in a conversation of its own", turn).click();
  await until("the fork", () => conversation() !== first);
  button("Edit the question and ask again", element(".khoj-turn")).click();
  const field = element<HTMLTextAreaElement>(".khoj-question-field");
  expect(field.value).toBe("How is green tea made?");
  expect(element(".khoj-send").textContent).toBe("Ask again");
  await asked("How is oolong made?");
  await until("one question", () => all(".khoj-question").join() === "How is oolong made?");
  const there = JSON.parse(await place.khojd("conversations", "list", "--json")) as { conversations: unknown[] };
  expect(there.conversations.length).toBeGreaterThanOrEqual(2);
});

test("what a model says loads nothing, runs nothing and leads nowhere it must not", async () => {
  const turn = await asked("Be nasty");
  const answer = element(".khoj-answer", turn);
  expect(answer.querySelector("img, script, iframe")).toBeNull();
  expect(Array.from(answer.querySelectorAll("a"), (link) => link.getAttribute("href"))).toEqual([
    "http://127.0.0.1:9/a.png", "https://example.org", "tea", "tea",
  ]);
  expect(answer.textContent).toContain('<img src=x onerror="alert(1)">');
  expect(answer.textContent).not.toContain("\u2060");
});

test("a proposed change is shown as a difference, and made in the open editor only when it is confirmed", async () => {
  const note = await world.note("tea.md");
  const turn = await asked("/research Please edit the note about tea");
  const review = await until("the proposal", () => turn.querySelector<HTMLElement>(".khoj-proposal button"));
  expect(element<HTMLDetailsElement>(".khoj-work", turn).open).toBe(false);
  expect(all(".khoj-step", turn).length).toBeGreaterThan(0);
  review.click();
  await until("the difference", () => document.querySelector(".khoj-diff"));
  expect(all(".khoj-diff-removed .khoj-diff-text")).toEqual(["Half oxidised, between green and black."]);
  expect(all(".khoj-diff-added .khoj-diff-text")).toEqual(["Half oxidised, between green 🍃 and black."]);
  expect(note.editor.getValue()).toBe(NOTES["tea.md"]);
  const make = Array.from(document.querySelectorAll<HTMLElement>(".khoj-diff-modal button")).find((one) => one.textContent === "Make the change");
  make?.click();
  await until("the change", () => note.editor.getValue().includes("between green 🍃 and black"));
  expect(place.read("tea.md")).toBe(NOTES["tea.md"]);
});

test("a proposed change of a note that is not open is made in its file", async () => {
  const turn = await asked("/research Please edit the note about tea");
  const review = await until("the proposal", () => turn.querySelector<HTMLElement>(".khoj-proposal button"));
  review.click();
  const make = await until("the button", () =>
    Array.from(document.querySelectorAll<HTMLElement>(".khoj-diff-modal button")).find((one) => one.textContent === "Make the change"));
  make.click();
  try {
    await until("the change", () => place.read("tea.md") === NOTES["tea.md"].replace(EDIT.old, EDIT.new));
    expect(world.shown).toBeNull();
  } finally {
    place.put("tea.md", NOTES["tea.md"]);
  }
});

test("a conversation is found in the list by its words, and saved as a note", async () => {
  await asked("Is tea hot, or a kiln?");
  button("Conversations").click();
  await until("the list", () => all(".khoj-conversation-title").length > 0);
  type(element<HTMLInputElement>(".khoj-conversations input"), "kiln");
  await until("the one", () => all(".khoj-conversation-title").join() === "Is tea hot, or a kiln?");
  button("Save as a note", element(".khoj-conversation")).click();
  const note = await until("the note", () => world.shown);
  expect(note.file.path).toBe("Is tea hot, or a kiln.md");
  expect(note.editor.getValue()).toContain("Is tea hot, or a kiln?");
  rmSync(path.join(place.notes, note.file.path));
  await place.indexed();
});

test("a conversation is renamed and deleted in the list", async () => {
  await asked("How is green tea made?");
  button("Conversations").click();
  await until("the list", () => all(".khoj-conversation-title").length > 0);
  button("Rename", element(".khoj-conversation")).click();
  const name = await until("the dialog", () => document.querySelector<HTMLInputElement>(".khoj-line input"));
  type(name, "Leaves");
  name.focus();
  press("Enter");
  await until("the name", () => all(".khoj-conversation-title")[0] === "Leaves");
  await until("the name of what is shown", () => element(".khoj-chat-name").textContent === "Leaves");
  const count = all(".khoj-conversation").length;
  button("Delete", element(".khoj-conversation")).click();
  const sure = await until("the question", () => document.querySelector<HTMLElement>(".modal-button-container .mod-cta"));
  sure.click();
  await until("one less", () => all(".khoj-conversation").length === count - 1);
  await until("a new conversation", () => element(".khoj-chat-name").textContent === "New conversation");
  expect(all(".khoj-turn")).toEqual([]);
});

test("the selection is given to the model", async () => {
  const note = await world.note("tea.md");
  note.editor.setSelection({ line: 2, ch: 0 }, { line: 2, ch: 9 });
  world.run("chat-about");
  await until("the selection", () => all(".khoj-chip").includes("About tea, lines 3–3"));
  await asked("What is this?");
  expect(model.asked.at(-1)).toContain("Green tea");
  expect(all(".khoj-chip")).toEqual([]);
});

test("persona, model and filters that are chosen hold for what is asked next", async () => {
  const [persona, chosen] = [element<HTMLSelectElement>("select[aria-label=Persona]"), element<HTMLSelectElement>("select[aria-label=Model]")];
  await until("personas", () => persona.options.length > 2);
  await until("models", () => Array.from(chosen.options).some((one) => one.value === "tiny/tiny"));
  const other = Array.from(persona.options).at(-1)?.value ?? "";
  for (const [choice, value] of [[persona, other], [chosen, "tiny/tiny"]] as const) {
    choice.value = value;
    choice.dispatchEvent(new Event("change"));
  }
  const filters = element<HTMLInputElement>(".khoj-filter-field");
  type(filters, "fi");
  filters.focus();
  press("Tab");
  expect(filters.value).toBe("file:");
  type(filters, "file:coal");
  filters.dispatchEvent(new Event("change"));
  const turn = await asked("What is green, the tea or the samovar?");
  expect(await kept()).toMatchObject({ persona: other, filters: "file:coal" });
  expect(element(".khoj-facts", turn).textContent).toContain("tiny/tiny");
  expect(model.asked.at(-1)).toContain("burns charcoal");
  expect(model.asked.at(-1)).not.toContain("steamed");
});

test("@ completes the name of a note, which is given to the model", async () => {
  const field = element<HTMLTextAreaElement>(".khoj-question-field");
  field.focus();
  await until("the completion", () => {
    type(field, "What of @co");
    return all(".khoj-completion-text").includes("@coal");
  });
  press("Enter");
  expect(field.value).toBe("What of @coal ");
  await asked(`${field.value}?`);
  expect(model.asked.at(-1)).toContain("The samovar burns charcoal.");
});

test("when khojd is killed in the middle of an answer that is said, and the question can be asked again", async () => {
  const turn = await asked("Talk for ever", ".khoj-turn:last-child .khoj-block");
  await until("the second block", () => element(".khoj-answer", turn).textContent.includes("On and on"));
  process.kill(await place.pid(), "SIGKILL");
  await until("the cut", () => element(".khoj-remark", turn).textContent.startsWith("Cut off"));
  expect(element(".khoj-answer", turn).textContent).toContain("On and on");
  release();
  await until("the connection", () => element(".khoj-bar-item").getAttribute("aria-label")?.includes("files indexed"));
  button("Ask again", turn).click();
  await until("the whole answer", () => element(".khoj-turn:last-child .khoj-answer").textContent.includes("and on and on"));
});
