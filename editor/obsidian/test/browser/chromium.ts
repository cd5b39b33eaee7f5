// The shipped plugin in a real browser, over the socket of a real khojd.
import { build } from "esbuild";
import * as net from "node:net";
import { readFile } from "node:fs/promises";
import * as path from "node:path";
import { chromium, type Browser, type Page } from "playwright-core";

import type { Disk } from "../world/app";
import type { Given, Harness } from "./page";

declare const harness: Harness;

const HERE = import.meta.dirname;
const PLUGIN = path.resolve(HERE, "../..");
const FLAGS = [
  "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync",
];

export type Theme = "dark" | "light";

/** A vault, its home directory, and where its daemon listens. */
export interface Where {
  base: string;
  notes: string;
  disk: Disk;
  address(): Promise<string>;
}

/** A browser; the caller closes it. */
export function launch(): Promise<Browser> {
  return chromium.launch({ executablePath: process.env.KHOJD_TEST_CHROMIUM ?? "/usr/bin/chromium", args: FLAGS, timeout: 100_000 });
}

let bundle: Promise<string> | undefined;

async function bundled(): Promise<string> {
  const world = (name: string) => path.join(PLUGIN, "test", "world", `${name}.ts`);
  const made = await build({
    entryPoints: [path.join(HERE, "page.ts")],
    alias: { obsidian: world("obsidian"), electron: world("electron") },
    bundle: true,
    write: false,
    format: "iife",
    platform: "browser",
    logLevel: "error",
  });
  return made.outputFiles[0]?.text ?? "";
}

/** A page with the vault of a place, in which the plugin runs. */
export async function begin(browser: Browser, place: Where, files: Record<string, string>, theme: Theme, more = {}): Promise<Page> {
  const page = await browser.newPage({ viewport: { width: 1120, height: 700 }, colorScheme: theme });
  page.setDefaultTimeout(60_000);
  await bridge(page, place);
  const styles = await Promise.all([path.join(HERE, "theme.css"), path.join(PLUGIN, "styles.css")].map((name) => readFile(name, "utf8")));
  await page.setContent(`<!doctype html><html lang="en"><head><title>Vault</title></head><body class="theme-${theme}"></body></html>`);
  for (const content of styles) await page.addStyleTag({ content });
  bundle ??= bundled();
  await page.addScriptTag({ content: await bundle });
  const given: Given = {
    main: await readFile(path.join(PLUGIN, "main.js"), "utf8"),
    manifest: JSON.parse(await readFile(path.join(PLUGIN, "manifest.json"), "utf8")),
    base: place.notes,
    home: place.base,
    files,
    settings: { socket: await place.address(), ...more },
  };
  await page.evaluate((all) => harness.begin(all), given);
  return page;
}

async function bridge(page: Page, place: Where): Promise<void> {
  const sockets: net.Socket[] = [];
  page.on("close", () => { for (const socket of sockets) socket.destroy(); });
  await page.exposeFunction("diskRead", (name: string) => place.disk.read(name));
  await page.exposeFunction("diskWrite", (name: string, text: string) => place.disk.write(name, text));
  await page.exposeFunction("diskMake", (name: string) => place.disk.mkdir(name));
  await page.exposeFunction("socketOpen", (address: string) => new Promise<number>((resolve, reject) => {
    const socket = net.connect(address).setEncoding("utf8");
    const number = sockets.push(socket) - 1;
    const tell = async (text: string | null) => {
      if (!page.isClosed()) await page.evaluate(([to, what]) => { harness.heard(to, what); }, [number, text] as const);
    };
    // What comes is handed on in the order in which it came; a page that is being closed hears nothing more.
    let last = Promise.resolve();
    const pass = (text: string | null) => {
      last = last.then(() => tell(text)).catch(() => undefined);
    };
    socket.on("data", (text) => { pass(String(text)); });
    socket.on("close", () => { pass(null); });
    socket.once("connect", () => { resolve(number); });
    socket.on("error", reject);
  }));
  await page.exposeFunction("socketWrite", (number: number, text: string) => { sockets[number]?.write(text); });
  await page.exposeFunction("socketClose", (number: number) => { sockets[number]?.destroy(); });
}

/** Run a command of the plugin. */
export function run(page: Page, id: string): Promise<void> {
  return page.evaluate((name) => { harness.world?.run(name); }, id);
}

/** Open a note, with the cursor in a line. */
export async function note(page: Page, name: string, line = 0): Promise<void> {
  await page.evaluate(async ([path, at]) => {
    const editor = (await harness.world?.note(path))?.editor;
    editor?.setCursor({ line: at, ch: 0 });
    editor?.scrollIntoView({ from: { line: at, ch: 0 }, to: { line: at, ch: 0 } });
  }, [name, line] as const);
}
