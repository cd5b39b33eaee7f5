// main.js as it is shipped, in an Obsidian of the tests.
import * as state from "@codemirror/state";
import * as view from "@codemirror/view";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import * as path from "node:path";

import type { Place } from "./daemon";
import { World } from "./world/app";
import * as electron from "./world/electron";
import * as obsidian from "./world/obsidian";
import { Notice } from "./world/obsidian";

type Main = Parameters<World["load"]>[0];

const here = createRequire(import.meta.url);
const given: Readonly<Record<string, unknown>> = { obsidian, electron, "@codemirror/state": state, "@codemirror/view": view };

/** The class that main.js exports, and the modules it has asked for by now. */
export function shipped(): { main: Main; asked: Set<string> } {
  const asked = new Set<string>();
  const module = { exports: {} as { default?: Main } };
  const require = (name: string): unknown => {
    asked.add(name);
    return given[name] ?? here(name);
  };
  const text = readFileSync(path.join(import.meta.dirname, "../main.js"), "utf8");
  // eslint-disable-next-line @typescript-eslint/no-implied-eval -- as Obsidian itself loads a plugin
  const run = new Function("module", "exports", "require", text) as (...given: unknown[]) => void;
  run(module, module.exports, require);
  const main = module.exports.default;
  if (main === undefined) throw new Error("main.js exports no plugin");
  return { main, asked };
}

export const manifest: unknown = JSON.parse(readFileSync(path.join(import.meta.dirname, "../manifest.json"), "utf8"));

/** An Obsidian whose vault is the notes of a place, with the plugin loaded. */
export async function begin(
  place: Pick<Place, "disk" | "enter" | "settings">,
  files: Readonly<Record<string, string>>,
  more: Record<string, unknown> = {},
): Promise<World> {
  place.enter();
  const world = new World(place.disk, files, { ...place.settings, ...more });
  await world.load(shipped().main, manifest);
  return world;
}

/** Wait until something holds; what it is of is said when it does not. */
export async function until<T>(what: string, look: () => T | false | null | undefined, patience = 60_000): Promise<T> {
  const end = Date.now() + patience;
  for (;;) {
    const found = look();
    if (found !== false && found !== null && found !== undefined) return found;
    if (Date.now() > end) throw new Error(`it did not come to ${what}; ${seen()}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** What a person would see of what is wrong. */
function seen(): string {
  const bar = document.querySelector(".khoj-bar-item")?.getAttribute("aria-label") ?? "no status bar";
  return [bar, ...all(".khoj-search-line"), ...Notice.said].join(" | ");
}

/** The facts under the last answer, when it was rendered to its end. */
export const WHOLE = '.khoj-turn:last-child .khoj-answer[aria-busy="false"] ~ .khoj-after .khoj-facts';

/** The element that fits a selector. */
// eslint-disable-next-line @typescript-eslint/no-unnecessary-type-parameters -- as querySelector has it
export function element<T extends HTMLElement = HTMLElement>(selector: string, within: ParentNode = document): T {
  const found = within.querySelector<T>(selector);
  if (found === null) throw new Error(`there is no ${selector}`);
  return found;
}

/** The texts of all elements that fit a selector. */
export function all(selector: string, within: ParentNode = document): string[] {
  return Array.from(within.querySelectorAll(selector), (one) => one.textContent.trim());
}

/** Type into a field, as one key that leaves this text. */
export function type(field: HTMLInputElement | HTMLTextAreaElement, text: string): void {
  field.value = text;
  field.setSelectionRange(text.length, text.length);
  field.dispatchEvent(new Event("input", { bubbles: true }));
}

/** Press a key in the element that has the focus. */
export function press(key: string, held: KeyboardEventInit = {}): void {
  (document.activeElement ?? document.body).dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true, ...held }));
}
