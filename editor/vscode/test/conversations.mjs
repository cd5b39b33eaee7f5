// Deletes and renames conversations in the chat view of a real window, as a person does it: with VS Code's own dialogs, which the
// driver of the tests in the extension host refuses. Called by tests/editors/vscode/test_conversations.py.
// usage: node conversations.mjs '{"port": 1, "chromium": FILE, "workspace": DIR, "picture": FILE, "kept": TITLE, "gone": TITLE, "shown": TITLE, "renamed": TITLE}'
import assert from "node:assert/strict";

import { open } from "./window.mjs";

const { kept, gone, shown, renamed, picture, ...asked } = JSON.parse(process.argv[2]);
const { page, close } = await open(asked);
page.setDefaultTimeout(60_000);

const dialog = page.locator(".monaco-dialog-box");
/** The page of the chat view: two frames down. */
const chat = page.frameLocator("iframe.webview").frameLocator("iframe#active-frame");

/** Answer the dialog that is there or is about to come; it must say this. */
async function answer(says, label) {
  await dialog.waitFor();
  const said = await dialog.innerText();
  assert(said.includes(says), `the dialog says ${said}`);
  await dialog.getByRole("button", { name: label }).click();
  await dialog.waitFor({ state: "hidden" });
}

/** The list of all conversations, once it has these titles, in whatever order. */
async function listed(...titles) {
  const wanted = [...titles].sort().join("\n");
  const end = Date.now() + 60_000;
  for (;;) {
    const found = (await chat.locator(".conversations .title").allInnerTexts()).sort().join("\n");
    if (found === wanted) return;
    assert(Date.now() < end, `listed are ${found || "none"}; wanted were ${wanted || "none"}`);
    await page.waitForTimeout(50);
  }
}

async function conversations() {
  await page.keyboard.press("Control+Alt+K");
  await page.keyboard.press("h");
  await chat.locator(".history").waitFor();
}

try {
  await page.locator(".statusbar").waitFor();
  await answer("trust the authors", "No, I don't trust the authors");
  await page.locator(".activitybar .action-label[aria-label^=Khoj]").waitFor(); // its keys are known by then
  await conversations();
  await listed(kept, gone, shown);

  await chat.getByRole("button", { name: `Delete ${kept}` }).click();
  await answer(`Delete “${kept}” for good?`, "Cancel");
  await chat.getByRole("button", { name: `Delete ${gone}` }).click();
  await answer(`Delete “${gone}” for good?`, "Delete");
  await listed(kept, shown);

  await chat.locator(".conversations button.open", { hasText: shown }).click();
  await chat.locator("h1", { hasText: shown }).waitFor();
  await chat.locator("textarea").click(); // the keyboard is in VS Code's own part no longer
  await conversations();
  await listed(kept, shown);
  await chat.getByRole("button", { name: `Delete ${shown}` }).click();
  await answer(`Delete “${shown}” for good?`, "Delete");
  await listed(kept);
  await chat.getByRole("button", { name: "Back to the conversation" }).click();
  await chat.locator("h1", { hasText: "New conversation" }).waitFor();

  await conversations();
  await chat.getByRole("button", { name: `Rename ${kept}` }).click();
  const title = page.locator(".quick-input-widget input[type=text]");
  await title.waitFor();
  assert.equal(await title.inputValue(), kept);
  await title.fill(renamed);
  await title.press("Enter");
  await listed(renamed);
} catch (failure) {
  await page.screenshot({ path: picture });
  throw failure;
} finally {
  await close();
}
