// Pictures of the extension at work in the real VS Code, for the pages of this project. Called by scripts/vscode_pictures.py.
// usage: node pictures.mjs '{"port": 1, "chromium": FILE, "workspace": DIR, "out": DIR, "theme": "light"}'
import { join } from "node:path";

import { open } from "./window.mjs";

const asked = JSON.parse(process.argv[2]);
const { page, close } = await open({ ...asked, width: 1120, height: 700 });
page.setDefaultTimeout(20_000);

/** Press the second key of our commands. */
async function press(key) {
  await page.keyboard.press("Control+Alt+K");
  await page.keyboard.press(key);
}

/** Open a note from the explorer: finding files by name needs a program that this VS Code does not have. */
async function note(folder, name) {
  const row = (label) => page.locator(".explorer-folders-view .monaco-list-row", { hasText: label });
  await row(folder).first().click();
  await row(name).dblclick();
  await page.locator(".tab", { hasText: name }).waitFor();
}

async function picture(name) {
  await page.mouse.move(500, 690);
  await page.waitForTimeout(600); // colours, cursors and scroll bars come to rest
  await page.screenshot({ path: join(asked.out, `vscode-${name}-${asked.theme}.png`) });
}

/** Show the views of the side bar that are named, and only them. */
async function views(...wanted) {
  for (const name of ["Chat", "Related", "Index"]) {
    const head = page.locator(".pane-header", { hasText: name });
    if (((await head.getAttribute("aria-expanded")) === "true") !== wanted.includes(name)) await head.click({ position: { x: 40, y: 10 } });
  }
}

/** The page of the chat view: two frames down. */
function chat() {
  return page.frameLocator("iframe.webview").frameLocator("iframe#active-frame");
}

try {
  await page.locator(".statusbar").waitFor();
  await note("notes", "Running plan.md");
  await page.locator(".statusbar-item", { hasText: "Khoj" }).waitFor();

  await press("s");
  await page.locator(".quick-input-widget input[type=text]").waitFor();
  await page.keyboard.type("knee hurts when jogging downhill", { delay: 20 });
  await page.locator(".quick-input-list .monaco-list-row", { hasText: "The knee" }).first().waitFor();
  await page.waitForTimeout(1500); // what is found by meaning, and the look at the first hit
  await picture("search");
  await page.keyboard.press("Escape");
  await page.locator(".quick-input-widget").waitFor({ state: "hidden" });

  await press("c");
  const edge = await page.locator(".part.sidebar").boundingBox();
  await page.mouse.move(edge.x + edge.width, 300);
  await page.mouse.down();
  await page.mouse.move(edge.x + 400, 300, { steps: 5 });
  await page.mouse.up();
  await views("Chat");
  const question = chat().locator("textarea");
  await question.waitFor();
  await question.fill("Why does my knee hurt, and what helps?");
  await question.press("Enter");
  await chat().locator(".turn:not([aria-busy]) .references").waitFor();
  await chat().locator(".citation").first().click();
  await page.locator(".tab.active", { hasText: "Running plan" }).waitFor();
  await picture("chat");

  await press("i");
  await views("Related", "Index");
  await page.locator(".monaco-list-row", { hasText: "1 skipped" }).click();
  await page.locator(".monaco-list-row", { hasText: "scanned.md" }).waitFor();
  await page.locator(".statusbar-item", { hasText: "Khoj" }).hover();
  await page.waitForTimeout(1200);
  await page.screenshot({ path: join(asked.out, `vscode-status-${asked.theme}.png`) });
} catch (failure) {
  await page.screenshot({ path: join(asked.out, `failed-${asked.theme}.png`) });
  throw failure;
} finally {
  await close();
}
