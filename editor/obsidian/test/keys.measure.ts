// @vitest-environment node
// From a key in the search to other hits that are painted, in a real browser: run by `python -m tests.bench obsidian`.
import { appendFileSync, readdirSync } from "node:fs";
import * as path from "node:path";
import type { Page } from "playwright-core";
import { test } from "vitest";

import { begin, launch, run } from "./browser/chromium";
import { disk } from "./daemon";

interface Asked {
  vault: string;
  socket: string;
  queries: string[];
  /** Milliseconds between two keys at least. */
  pace: number;
  /** Where a line of JSON is written for each key. */
  report: string;
}

declare const keys: { took: number | null; painting: boolean };

test("keys", { timeout: 540_000 }, async () => {
  const asked = JSON.parse(process.env.KHOJD_MEASURE ?? "") as Asked;
  const entries = readdirSync(asked.vault, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const files = Object.fromEntries(entries.map((entry) => [path.relative(asked.vault, path.join(entry.parentPath, entry.name)), ""]));
  const address = () => Promise.resolve(asked.socket);
  const browser = await launch();
  try {
    const page = await begin(browser, { base: asked.vault, notes: asked.vault, disk: disk(asked.vault), address }, files, "light");
    await run(page, "search");
    await watch(page);
    for (const query of asked.queries) {
      await page.locator(".khoj-search-field").fill("");
      await page.waitForFunction(() => document.querySelectorAll(".khoj-hit").length === 0);
      for (const [index, key] of Array.from(query).entries()) {
        const began = Date.now();
        await page.keyboard.press(key === " " ? "Space" : key);
        await settled(page);
        appendFileSync(asked.report, `${JSON.stringify({ text: query.slice(0, index + 1), ms: await page.evaluate(() => keys.took) })}\n`);
        await new Promise((resolve) => setTimeout(resolve, Math.max(0, asked.pace - (Date.now() - began))));
      }
    }
  } finally {
    await browser.close();
  }
});

/** Note when the first rows that are other ones were painted after a key. */
async function watch(page: Page): Promise<void> {
  await page.evaluate(() => {
    const found = { took: null as number | null, painting: false };
    Object.assign(globalThis, { keys: found });
    const list = document.querySelector(".khoj-search-hits");
    let began = 0;
    let before = "";
    document.addEventListener("keydown", (event) => {
      began = event.timeStamp;
      before = list?.textContent ?? "";
      Object.assign(found, { took: null, painting: false });
    }, true);
    new MutationObserver(() => {
      if (found.took !== null || found.painting || list?.textContent === before) return;
      found.painting = true;
      // After the frame is painted: a task that is queued in its beginning comes behind it.
      const painted = () => { Object.assign(found, { took: performance.now() - began, painting: false }); };
      requestAnimationFrame(() => setTimeout(painted));
    }).observe(list ?? document.body, { childList: true, subtree: true, characterData: true });
  });
}

/** Wait until all phases of the answer are there, and painted. */
async function settled(page: Page): Promise<void> {
  await page.waitForFunction(() => document.querySelector(".khoj-search-hits")?.getAttribute("aria-busy") === "false" && !keys.painting);
}
