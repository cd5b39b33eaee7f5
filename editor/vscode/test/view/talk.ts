import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { answering, citation, started, step, text, View } from "./browser";

let view: View;

beforeEach(async () => { view = await View.open(); });
afterEach(() => {
  expect(view.problems).toEqual([]);
  expect(view.asked).toEqual([]);
  view.close();
});

const WRITTEN = "It is the **band** along the thigh {1}.\n\n- side planks\n- shorter steps {2}\n\n```sh\nnpm run\n```\n";
const ANSWER = answering(WRITTEN, { 2: { weak: true } });

describe("with the keyboard alone", () => {
  it("a question is asked by Enter, and Shift+Enter begins a line", async () => {
    await view.show(view.conversation);
    await view.page.keyboard.press("Tab"); // the conversation, then the question
    await view.page.keyboard.press("Tab");
    await view.page.keyboard.type("Why");
    await view.page.keyboard.press("Shift+Enter");
    await view.page.keyboard.type("does it hurt?");
    await view.page.keyboard.press("Enter");
    expect(await view.told("ask")).toEqual({ type: "ask", question: "Why\ndoes it hurt?" });
    expect(await view.page.locator("textarea").inputValue()).toBe("");
    await view.page.keyboard.press("Enter");
    await view.page.keyboard.type("x");
    expect(view.heard.filter((one) => one.type === "ask")).toEqual([]);
  });

  it("Escape stops the answer, wherever the keyboard is", async () => {
    await view.stream("Why?", [started, text("So")]);
    await view.page.locator("main").focus();
    await view.page.keyboard.press("Escape");
    await view.told("stop");
    await view.page.locator("textarea").focus();
    await view.page.keyboard.press("Escape");
    await view.told("stop");
    await view.end({ state: "cancelled", reason: "" });
    await view.page.keyboard.press("Escape");
    await view.page.keyboard.type("x");
    expect(view.heard.filter((one) => one.type === "stop")).toEqual([]);
  });

  it("a question is not asked while another is answered", async () => {
    await view.stream("Why?", [started]);
    await view.page.locator("textarea").fill("And?");
    await view.page.keyboard.press("Enter");
    expect(await view.page.locator("textarea").inputValue()).toBe("And?");
  });

  it("the arrows bring earlier questions back, and then what was being written", async () => {
    await view.stream("First?", [started]);
    await view.end();
    await view.stream("Second?", [{ ...started, turn: "t2" }]);
    await view.end({ turn: "t2" });
    const field = view.page.locator("textarea");
    await field.fill("draft");
    const seen: string[] = [];
    for (const key of ["ArrowUp", "ArrowUp", "ArrowUp", "ArrowDown", "ArrowDown"]) {
      await field.press(key);
      seen.push(await field.inputValue());
    }
    expect(seen).toEqual(["Second?", "First?", "First?", "Second?", "draft"]);
  });

  it("each thing that can be pressed is reached, in the order of the page, and has a name", async () => {
    await view.stream("Why?", [started, step("searched: knee"), ...ANSWER]);
    const { location, path } = citation();
    await view.end({ proposals: [{ id: "p", location, path, before: "a", after: "b", textHash: "h", why: "a leaf", edit: null }] });
    await view.page.locator("h1").evaluate((one: HTMLElement) => { one.tabIndex = -1; one.focus(); });
    const names: string[] = [];
    for (;;) {
      await view.page.keyboard.press("Tab");
      const name = await view.page.evaluate(() => {
        const at = document.activeElement;
        if (at === null || at === document.body) return undefined;
        return at.getAttribute("aria-label") ?? at.textContent;
      });
      if (name === undefined || names.length > 30) break;
      names.push(name);
    }
    expect(names).toEqual([
      "Conversation", "1 step", "Source 1: Running plan › The knee: “A stabbing pain.”",
      "Source 2: Running plan › The knee (weak): “A stabbing pain.”", "Copy sh code", "sh code", "Show the proposed change of knee.md",
      "2 sources", "Running plan › The knee", "Running plan › The knee",
      "Copy answer", "Ask again", "Edit question", "Fork here",
      "Question", "Ask (Enter)", "Persona", "Model", "Filters",
    ]);
  });
});

describe("an answer", () => {
  it("is shown as it comes, with its citations, code and sources", async () => {
    await view.stream("Why?", [started, ...ANSWER]);
    const { page } = view;
    expect(await page.locator(".answer strong").innerText()).toBe("band");
    expect(await page.locator(".answer li").allInnerTexts()).toEqual(["side planks", "shorter steps\u00a02"]);
    expect(await page.locator(".references").isVisible()).toBe(false);
    await view.end();
    expect(await page.locator(".sources li").count()).toBe(2);
    expect(await page.locator(".doubt").allInnerTexts()).toEqual(["weak"]);
    expect(await page.locator(".citation.weak").innerText()).toBe("2");
    expect(await page.locator(".usage").innerText()).toBe("local/qwen3 · 812 + 96 tokens · 2.0 s · 48 tokens/s");
    await page.locator(".citation").first().press("Enter");
    expect(await view.told("cite")).toEqual({ type: "cite", key: 1, index: 0 });
    await page.locator(".source").nth(1).click();
    expect(await view.told("source")).toEqual({ type: "source", key: 1, number: 2 });
    await page.getByRole("button", { name: "Copy sh code" }).click();
    expect(await view.told("copy")).toEqual({ type: "copy", text: "npm run\n" });
    await page.getByRole("button", { name: "Copy answer" }).click();
    expect((await view.told("copy")).text).toContain("[1].\n\n- side planks");
  });

  it("looks the same however its stream was cut", async () => {
    await view.stream("Why?", [started, ...ANSWER]);
    await view.end();
    const whole = await view.page.locator(".turn").evaluate((one) => one.outerHTML);
    for (const size of [1, 3]) {
      const other = await View.open();
      const parts = new RegExp(`[^]{1,${size}}`, "g");
      const cut = ANSWER.flatMap((value) => (value.kind === "text" ? (value.text.match(parts) ?? []).map(text) : [value]));
      await other.stream("Why?", [started, ...cut]);
      await other.end();
      expect(await other.page.locator(".turn").evaluate((one) => one.outerHTML)).toBe(whole);
      other.close();
    }
  });

  it("leaves alone what is already there: the focus, the selection, what is unfolded", async () => {
    await view.stream("Why?", [started, step("searched: knee"), { kind: "thinking", text: "Hm." }, ...ANSWER]);
    const { page } = view;
    await page.locator(".details summary").click();
    await page.locator(".citation").first().focus();
    await view.value(text("\n\nAnd more, "));
    await view.value(text("and more."));
    await view.value(step("read: knee.md"));
    await view.end();
    expect(await page.evaluate(() => document.activeElement?.className)).toBe("citation");
    expect(await page.locator(".details").getAttribute("open")).not.toBeNull();
    expect(await page.locator(".steps li").allInnerTexts()).toEqual(["searched: knee", "read: knee.md"]);
    expect(await page.locator(".thinking").innerText()).toBe("Hm.");
  });

  it("is told to those who listen: steps, whole paragraphs, the end", async () => {
    await view.stream("Why?", [started, step("searched: knee"), text("One par"), text("agraph.\n\nAnother")]);
    const voice = view.page.locator("[aria-live=polite] p");
    expect(await voice.allTextContents()).toEqual(["searched: knee", "One paragraph."]);
    expect(await view.page.locator(".turn").getAttribute("aria-busy")).toBe("true");
    await view.end();
    expect((await voice.allTextContents()).at(-1)).toBe("The answer is there, with 0 sources");
    expect(await view.page.locator(".turn").getAttribute("aria-busy")).toBeNull();
  });

  it("that no model gave is marked, and so is what went wrong", async () => {
    await view.stream("Why?", [started, step("a marker for a source that was never given was taken out", "notice"), text("Quoted.")]);
    await view.end({ extractive: true });
    const { page } = view;
    expect(await page.locator(".badge").isVisible()).toBe(true);
    expect(await page.locator(".notices").innerText()).toContain("was taken out");
    const [turn] = view.conversation.turns;
    if (turn === undefined) throw new Error("no turn");
    const lost = { ...turn, extractive: false, state: "cut-off", reason: "the connection to khojd was lost" } as const;
    await view.show({ ...view.conversation, turns: [lost] });
    expect(await page.locator(".badge").isVisible()).toBe(false);
    expect(await page.locator(".remark").innerText()).toBe("Cut off: the connection to khojd was lost");
    await page.getByRole("button", { name: "Ask again" }).click();
    expect(await view.told("retry")).toEqual({ type: "retry", key: 1 });
    await page.getByRole("button", { name: "Edit question" }).click();
    expect(await view.told("edit")).toEqual({ type: "edit", key: 1 });
    await page.getByRole("button", { name: "Fork here" }).click();
    expect(await view.told("fork")).toEqual({ type: "fork", key: 1 });
  });

  it("that failed is called so, below what there is of it and to those who listen", async () => {
    await view.stream("Why?", [started, text("It is")]);
    await view.end({ state: "failed", reason: "the model is gone" });
    expect(await view.page.locator(".remark").innerText()).toBe("Failed: the model is gone");
    expect(await view.page.locator("[aria-live=polite] p").last().textContent()).toBe("Failed: the model is gone");
    expect(await view.page.locator(".answer").innerText()).toBe("It is");
  });

  it("shows of which notes something was changed since", async () => {
    await view.stream("Why?", [started, ...ANSWER]);
    await view.end();
    const { page } = view;
    expect(await page.locator(".citation.stale").count()).toBe(0);
    const [turn] = view.conversation.turns;
    if (turn === undefined) throw new Error("no turn");
    const citations = turn.citations.map((one) => ({ ...one, state: one.number === 1 ? "stale" : one.state } as const));
    await view.show({ ...view.conversation, turns: [{ ...turn, citations }] });
    expect(await page.locator(".citation.stale").allInnerTexts()).toEqual(["1"]);
    expect(await page.locator(".doubt").allInnerTexts()).toEqual(["changed since", "weak"]);
    await view.show({ ...view.conversation, turns: [turn] });
    expect(await page.locator(".citation.stale, .doubt").allInnerTexts()).toEqual(["weak"]);
  });

  it("is followed to its end, unless a person has scrolled up", async () => {
    const long = Array.from({ length: 60 }, (_, line) => `Paragraph ${line}.\n\n`).join("");
    await view.stream("Why?", [started, text(long)]);
    const rest = () => view.page.locator("main").evaluate((one) => one.scrollHeight - one.scrollTop - one.clientHeight);
    expect(await rest()).toBeLessThan(5);
    await view.page.locator("main").evaluate((one) => { one.scrollTop = 10; });
    await view.value(text(long));
    expect(await rest()).toBeGreaterThan(500);
  });
});

describe("what is being written", () => {
  it("is there again when the view was hidden, and so is the conversation", async () => {
    await view.stream("Why?", [started, ...ANSWER]);
    await view.end();
    await view.page.locator("textarea").fill("And what");
    const shown = view.conversation;
    await view.load();
    await view.show(shown);
    expect(await view.page.locator("textarea").inputValue()).toBe("And what");
    expect(await view.page.locator(".question").innerText()).toBe("Why?");
  });

  it("is completed without leaving the keyboard", async () => {
    await view.show(view.conversation);
    const field = view.page.locator("textarea");
    await field.pressSequentially("see @r");
    const asked = await view.until((one) => one.type === "complete" && one.text === "see @r");
    if (asked.type !== "complete") throw new Error("not asked");
    const items = ['@"Running plan" ', "@river-gauge "].map((one) => ({ text: one, detail: "notes" }));
    await view.say({ type: "completions", id: asked.id, found: { start: 4, end: 6, items } });
    expect(await field.getAttribute("aria-expanded")).toBe("true");
    await field.press("ArrowDown");
    const active = await field.getAttribute("aria-activedescendant");
    expect(await view.page.locator(`#${active ?? "none"}`).innerText()).toContain("@river-gauge");
    await field.press("Enter");
    expect(await field.inputValue()).toBe("see @river-gauge ");
    expect(await field.getAttribute("aria-expanded")).toBe("false");
    expect(view.heard.filter((one) => one.type === "ask")).toEqual([]);
    await view.say({ type: "completions", id: asked.id, found: { start: 0, end: 0, items } });
    expect(await field.getAttribute("aria-expanded")).toBe("false"); // late
  });

  it("has its persona, model, filters and places", async () => {
    await view.show(view.conversation, { about: ["knee.md:3–5"], replaces: "t1" });
    const { page } = view;
    await page.getByRole("button", { name: "Do not ask about knee.md:3–5" }).click();
    expect(await view.told("detach")).toEqual({ type: "detach", index: 0 });
    await page.getByRole("button", { name: "Keep them" }).click();
    await view.told("keep");
    const personas = [{ name: "writer", description: "writes" }];
    await view.say({ type: "choices", choices: { personas, persona: "default", models: ["local/qwen3"] } });
    await page.getByLabel("Persona").selectOption("writer");
    expect(await view.told("choose")).toEqual({ type: "choose", choice: { persona: "writer", model: "", filters: null } });
    await page.getByLabel("Model").selectOption("local/qwen3");
    await view.told("choose");
    await page.getByLabel("Filters").fill("tag:health");
    await page.getByLabel("Filters").press("Enter");
    expect((await view.told("choose")).choice).toMatchObject({ filters: "tag:health" });
    await view.say({ type: "offer", label: "Sleep.md" });
    await page.getByRole("button", { name: "Ask about Sleep.md" }).click();
    await view.told("attach");
  });
});

describe("conversations", () => {
  it("are listed, searched, opened, renamed, exported and deleted", async () => {
    await view.show(view.conversation);
    await view.say({ type: "focus", history: true });
    const { page } = view;
    expect(await view.told("history")).toEqual({ type: "history", query: "" });
    const listed = ["Knees", "Hips"].map((title, place) => ({ id: "ab"[place] ?? "", title, turns: 2 - place, updated: 1_780_000_000 }));
    await view.say({ type: "history", conversations: listed, problem: "damaged ones are kept in x" });
    expect(await page.locator(".history .problem").innerText()).toBe("damaged ones are kept in x");
    await page.keyboard.type("kn");
    expect(await view.told("history")).toEqual({ type: "history", query: "kn" });
    for (const [name, type] of [["Rename Hips", "rename"], ["Export Hips", "export"], ["Delete Hips", "delete"]] as const) {
      await page.getByRole("button", { name }).click();
      expect(await view.told(type)).toEqual({ type, id: "b" });
    }
    await page.getByLabel("Search conversations").focus();
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("Enter");
    expect(await view.told("open")).toEqual({ type: "open", id: "a" });
    expect(await page.locator("textarea").evaluate((one) => one === document.activeElement)).toBe(true);
  });

  it("that are opened take the place of what was shown", async () => {
    await view.stream("Why?", [started, ...ANSWER]);
    await view.end();
    const [turn] = view.conversation.turns;
    if (turn === undefined) throw new Error("no turn");
    const other = { ...view.conversation, id: "c2", title: "Hips", turns: [{ ...turn, id: "u1", question: "Hips?", answer: "Other." }] };
    await view.show(other);
    expect(await view.page.locator("article").allInnerTexts()).toHaveLength(1);
    expect(await view.page.locator(".answer").innerText()).toBe("Other.");
    expect(await view.page.locator("h1").innerText()).toBe("Hips");
  });

  it("say why khojd cannot be asked, and try again", async () => {
    await view.show(view.conversation);
    await view.say({ type: "problem", problem: "khojd is not installed: install it" });
    expect(await view.page.getByRole("alert").innerText()).toContain("khojd is not installed");
    await view.page.getByRole("button", { name: "Try Again" }).click();
    await view.told("reconnect");
    await view.say({ type: "problem", problem: "" });
    expect(await view.page.locator(".banner").isVisible()).toBe(false);
  });
});
