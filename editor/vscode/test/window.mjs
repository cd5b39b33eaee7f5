// A window of VS Code in a browser without a screen, on a server that runs. As a program it runs tests in the real extension host:
// node window.mjs '{"port": 1, "chromium": "/usr/bin/chromium", "workspace": DIR, "extension": DIR, "tests": FILE, "seconds": 60}'
import { chromium } from "playwright-core";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const QUIET = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];

/** Open a window. `ended` is the exit code of the tests, when there are some. */
export async function open({ port, chromium: executablePath, workspace, extension, tests, width = 1280, height = 800 }) {
  const profile = mkdtempSync(join(tmpdir(), "khoj-chromium-"));
  const context = await chromium.launchPersistentContext(profile, { executablePath, headless: true, viewport: { width, height }, args: QUIET });
  const close = async () => {
    await context.close();
    rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
  };
  try {
    const page = await context.newPage();
    let end;
    const ended = new Promise((resolve) => (end = resolve));
    await page.exposeFunction("codeAutomationLog", (_kind, parts) => console.log(...parts));
    await page.exposeFunction("codeAutomationExit", (code) => end(code));
    const remote = `vscode-remote://127.0.0.1:${port}`;
    const payload = [["enableProposedApi", ""], ["skipWelcome", "true"], ["skipReleaseNotes", "true"]];
    if (extension) payload.push(["extensionDevelopmentPath", remote + extension]);
    if (tests) payload.push(["extensionTestsPath", remote + tests]);
    const query = new URLSearchParams({ folder: workspace, payload: JSON.stringify(payload) });
    await page.goto(`http://127.0.0.1:${port}/?${query}`);
    return { page, ended, close };
  } catch (failure) {
    await close();
    throw failure;
  }
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const asked = JSON.parse(process.argv[2]);
  const window = await open(asked);
  let timer;
  const late = new Promise((resolve) => (timer = setTimeout(() => resolve("too late"), asked.seconds * 1000)));
  const code = await Promise.race([window.ended, late]);
  clearTimeout(timer);
  if (code !== 0) console.log(`the tests ended: ${code}`);
  if (code !== 0 && asked.picture) await window.page.screenshot({ path: asked.picture });
  await window.close();
  process.exitCode = code === 0 ? 0 : 1;
}
