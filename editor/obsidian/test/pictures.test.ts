// @vitest-environment node
// The views in a real browser, light and dark: that they are drawn, can be read, and look as the documentation shows them.
import { mkdirSync, readdirSync, readFileSync, statSync } from "node:fs";
import * as path from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { begin, launch, note, run } from "./browser/chromium";
import { Place } from "./daemon";
import { Model } from "./model";

const ROOT = path.resolve(import.meta.dirname, "../../..");
const EXAMPLES = path.join(ROOT, "examples", "notes");
/** Pictures go here when they are made for the documentation, else nowhere. */
const IMAGES = process.env.KHOJD_IMAGES;

const NOTES = Object.fromEntries(
  readdirSync(EXAMPLES, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(EXAMPLES, path.join(entry.parentPath, entry.name)))
    .map((name) => [name, readFileSync(path.join(EXAMPLES, name), "utf8")]),
);

const model = new Model((question) => ({
  thinking: "The notes on sleep and on running say something of worry, coffee and the knee.",
  pieces: answer(question),
}));

/** An answer that cites what khojd has given, by the numbers that it gave. */
function answer(question: string): string[] {
  const number = (words: string) => {
    const before = question.slice(0, question.indexOf(words));
    return Array.from(before.matchAll(/(?:^|\n)\W*\[?(\d+)\]/g)).at(-1)?.[1] ?? "1";
  };
  const sleep = number("Coffee only before noon");
  return [
    "You lay awake from three to five for three weeks in February", ` [${sleep}]`, ". What helped:\n\n",
    "- **Coffee only before noon.** That did most of the work", ` [${sleep}]`, ".\n",
    "- Getting up after twenty minutes, and reading something dull under a small lamp.\n\n",
    "The doctor called it worry, and it ended the day the budget of the river gauge was signed", ` [${sleep}]`, ".\n",
  ];
}

let place: Place;
let browser: Browser;

beforeAll(async () => {
  await model.listen();
  place = new Place(NOTES, model.config, true, "bundled");
  place.put("notes/Scan of a letter.md", Buffer.alloc(3000));
  place.put("notes/Old export.md", Buffer.from([0xff, 0xfe, 0x00, 0xd8, 0x00])); // begins as UTF-16, and is not
  await place.khojd("index", "--wait");
  browser = await launch();
});
afterAll(async () => {
  await browser.close();
  await place.clear();
  model.close();
});

async function picture(page: Page, name: string): Promise<void> {
  const image = await page.screenshot();
  expect(image.length).toBeGreaterThan(10_000);
  if (IMAGES === undefined) return;
  mkdirSync(IMAGES, { recursive: true });
  const file = path.join(IMAGES, `obsidian-${name}.png`);
  await page.screenshot({ path: file });
  expect(statSync(file).size).toBeLessThan(150_000);
}

/** Texts that are too faint to be read: a contrast of less than 4.5 with what is behind them (WCAG 2.1). */
async function faint(page: Page, within: string): Promise<string[]> {
  return page.evaluate((selector) => {
    const colour = (text: string) => (text.match(/[\d.]+/g) ?? []).map(Number);
    const mix = (over: number[], under: number[]) => {
      const [, , , alpha = 1] = over;
      return [0, 1, 2].map((part) => (over[part] ?? 0) * alpha + (under[part] ?? 0) * (1 - alpha));
    };
    const behind = (element: Element | null): number[] =>
      element === null ? [255, 255, 255] : mix(colour(getComputedStyle(element).backgroundColor), behind(element.parentElement));
    const light = (parts: number[]) => {
      const linear = (part: number) => (part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
      const [r = 0, g = 0, b = 0] = parts.map((part) => linear(part / 255));
      return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const found: string[] = [];
    for (const element of document.querySelectorAll(`${selector} *`)) {
      const own = Array.from(element.childNodes).some((child) => child.nodeType === Node.TEXT_NODE && child.textContent?.trim() !== "");
      const box = element.getBoundingClientRect();
      if (!own || box.width === 0 || element.closest("[aria-hidden=true], .khoj-turn-actions") !== null) continue;
      const back = behind(element);
      const front = light(mix(colour(getComputedStyle(element).color), back));
      const ground = light(back);
      const ratio = (Math.max(front, ground) + 0.05) / (Math.min(front, ground) + 0.05);
      if (ratio < 4.5) found.push(`${element.className}: ${element.textContent.slice(0, 40)} (${ratio.toFixed(1)})`);
    }
    return found;
  }, within);
}

describe.each(["light", "dark"] as const)("in the %s theme", (theme) => {
  test("the search shows hits, the marked words and the rendered section", async () => {
    const page = await begin(browser, place, NOTES, theme);
    await note(page, "notes/Running plan.md");
    await run(page, "search");
    await page.keyboard.type("lying awake at night");
    await page.getByText("by words and meaning").waitFor();
    await page.locator(".khoj-search-preview li").first().waitFor();
    await picture(page, `search-${theme}`);
    expect(await page.locator(".khoj-hit-note").first().textContent()).toBe("Sleep");
    expect(await faint(page, ".khoj-search")).toEqual([]);
    await page.close();
  });

  test("the chat shows question, answer, citations and sources", async () => {
    const page = await begin(browser, place, NOTES, theme);
    await note(page, "notes/Running plan.md");
    await run(page, "chat");
    await page.locator(".khoj-question-field").click();
    await page.keyboard.type("Why did I sleep badly, and what helped?");
    await page.keyboard.press("Enter");
    await page.locator(".khoj-sources").waitFor();
    await page.locator("a.khoj-citation").first().waitFor();
    await page.locator(".khoj-sources summary").click();
    await page.mouse.move(5, 5);
    await picture(page, `chat-${theme}`);
    expect(await faint(page, ".khoj-chat")).toEqual([]);
    await page.locator("a.khoj-citation").nth(1).click();
    await page.locator(".khoj-found").waitFor();
    expect(await page.locator(".khoj-found").first().textContent()).toContain("did most of the work");
    await page.close();
  });

  test("the panel of the index shows each file with its state and reason", async () => {
    const page = await begin(browser, place, NOTES, theme);
    await run(page, "status");
    await page.locator(".khoj-file-skipped, .khoj-file-failed").first().waitFor();
    await page.mouse.move(5, 5);
    await picture(page, `status-${theme}`);
    expect(await faint(page, ".khoj-status")).toEqual([]);
    const download = page.waitForEvent("download");
    await page.getByText("Export as JSON").click();
    expect((await download).suggestedFilename()).toBe("khoj-index.json");
    await page.close();
  });

  test("similar notes stand beside the note", async () => {
    const page = await begin(browser, place, NOTES, theme);
    await note(page, "notes/Sleep.md", 6);
    await run(page, "similar-cursor");
    await page.locator(".khoj-similar .khoj-hit").nth(2).waitFor();
    await page.mouse.move(5, 5);
    await picture(page, `similar-${theme}`);
    expect(await faint(page, ".khoj-similar")).toEqual([]);
    await page.close();
  });
});
