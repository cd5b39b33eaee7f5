// A conversation in the shipped plugin: khojd is real, the model says what it is told to say.
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";

import { Place } from "./daemon";
import { Model, type Saying } from "./model";
import { all, begin, element, press, type, until } from "./shipped";
import type { World } from "./world/app";
import { MarkdownRenderer } from "./world/obsidian";

const NOTES = { "tea.md": "# Tea\n\nGreen tea 🍵 is steamed, not roasted.\n\n## Oolong\n\nHalf oxidised, between green and black.\n" };
const EDIT = { action: "replace", note: "tea", old: "between green and black", new: "between green 🍃 and black", why: "a leaf was missing" };
const NASTY = '<img src=x onerror="alert(1)"> ![p](http://127.0.0.1:9/a.png) [bad](javascript:alert(1)) [good](https://example.org) ![[tea]] [[tea]]\n\n```dataviewjs\nalert(1)\n```\n';

let release: () => void;
let hold: Promise<void>;

function saying(question: string, whole: string): Saying {
  if (question.includes("Talk for ever")) return { pieces: ["Well then.\n\n", "On and on ", "and on"], hold };
  if (question.includes("Be nasty")) return { pieces: [NASTY] };
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
afterAll(() => {
  place.clear();
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

async function asked(question: string, last = ".khoj-turn:last-child .khoj-facts"): Promise<HTMLElement> {
  type(element<HTMLTextAreaElement>(".khoj-question-field"), question);
  element<HTMLTextAreaElement>(".khoj-question-field").focus();
  press("Enter");
  await until(`the answer to ${question}`, () => document.querySelector(last));
  return element(".khoj-turn:last-child");
}

function button(label: string, within: ParentNode = document): HTMLButtonElement {
  return element<HTMLButtonElement>(`button[aria-label="${label}"]`, within);
}

test("who may answer is shown at once, and model servers are asked only when somebody is about to choose one", async () => {
  const choices = element<HTMLSelectElement>("select[aria-label=Model]");
  await until("the configured model", () => Array.from(choices.options).some((one) => one.value === "tiny/tiny"));
  expect(model.listed).toBe(0);
  choices.focus();
  await until("the question to the server", () => model.listed > 0);
});

test("an answer streams in, cites, and folds what was thought and done", async () => {
  const turn = await asked("How is green tea made?");
  await until("the citation", () => turn.querySelector("a.khoj-citation"));
  expect(element(".khoj-answer", turn).textContent.replace(/\s+/g, " ").trim()).toBe("First. Green tea 🍵 is steamed 1. That is all.");
  expect(element(".khoj-answer strong", turn).textContent).toBe("steamed");
  expect(element<HTMLDetailsElement>(".khoj-work", turn).open).toBe(false);
  expect(element(".khoj-thinking", turn).textContent).toBe("the user asks about tea");
  expect(all(".khoj-source-quote", turn)[0]).toContain("Green tea 🍵 is steamed");
});

test("a citation is an internal link: a click goes to what is cited, hovering shows it", async () => {
  const turn = await asked("How is green tea made?");
  const link = await until("the citation", () => turn.querySelector<HTMLElement>("a.khoj-citation"));
  const hovered: unknown[] = [];
  world.workspace.on("hover-link", (event) => { hovered.push(event); });
  link.dispatchEvent(new MouseEvent("mouseover", { bubbles: true }));
  expect(hovered[0]).toMatchObject({ source: "khoj-chat", linktext: "tea.md#Tea", targetEl: link });
  link.click();
  const note = await until("the note", () => world.shown);
  await until("the mark", () => note.contentEl.querySelector(".khoj-found"));
  expect(element(".khoj-found", note.contentEl).textContent).toContain("is steamed");
});

test("blocks that are whole are not rendered again while the answer grows", async () => {
  MarkdownRenderer.count = 0;
  const turn = await asked("Talk for ever", ".khoj-turn:last-child .khoj-block");
  await until("the second block", () => all(".khoj-block", turn).at(-1)?.startsWith("On and on"));
  const first = element(".khoj-block", turn);
  release();
  await until("the end", () => turn.querySelector(".khoj-facts"));
  await until("the text", () => all(".khoj-block", turn).at(-1) === "On and on and on");
  expect(element(".khoj-block", turn)).toBe(first);
  expect(MarkdownRenderer.count).toBeLessThan(6);
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
  await until("another answer", () => document.querySelector(".khoj-turn:last-child .khoj-facts") !== null && all(".khoj-turn").length === 1);
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
  const kept = JSON.parse(await place.khojd("conversations", "list", "--json")) as { conversations: unknown[] };
  expect(kept.conversations.length).toBeGreaterThanOrEqual(2);
});

test("what a model says loads nothing, runs nothing and leads nowhere it must not", async () => {
  const turn = await asked("Be nasty");
  const answer = element(".khoj-answer", turn);
  await until("the text", () => answer.querySelector("pre"));
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
  await until("the change", () => place.read("tea.md") === NOTES["tea.md"].replace(EDIT.old, EDIT.new));
  expect(world.shown).toBeNull();
  place.put("tea.md", NOTES["tea.md"]);
});

test("a conversation is found in the list, renamed and deleted", async () => {
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

test("persona and model can be chosen, and the selection is given to the model", async () => {
  const note = await world.note("tea.md");
  note.editor.setSelection({ line: 2, ch: 0 }, { line: 2, ch: 9 });
  world.run("chat-about");
  await until("the selection", () => all(".khoj-chip").includes("About tea, lines 3–3"));
  await until("personas", () => element<HTMLSelectElement>("select[aria-label=Persona]").options.length > 2);
  await until("models", () => Array.from(element<HTMLSelectElement>("select[aria-label=Model]").options).some((one) => one.value === "tiny/tiny"));
  await asked("What is this?");
  expect(model.asked.at(-1)).toContain("Green tea");
  expect(all(".khoj-chip")).toEqual([]);
});

test("@ completes the name of a note", () => {
  const field = element<HTMLTextAreaElement>(".khoj-question-field");
  field.focus();
  return until("the completion", () => {
    type(field, "What of @te");
    return all(".khoj-completion-text").includes("@tea");
  }).then(() => {
    press("Enter");
    expect(field.value).toBe("What of @tea ");
  });
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
  await until("the whole answer", () => element(".khoj-turn:last-child .khoj-answer").textContent.includes("and on and on"), 20_000);
});
