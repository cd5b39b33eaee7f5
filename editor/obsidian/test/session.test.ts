// Attaching, unsaved text, the vault as a folder, the index: the shipped plugin over the socket of a real khojd.
import { existsSync, readFileSync } from "node:fs";
import * as path from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";

import { Place } from "./daemon";
import { all, begin, element, manifest, press, shipped, type, until } from "./shipped";
import { World } from "./world/app";
import { opened } from "./world/electron";
import { Modal, Notice, Platform } from "./world/obsidian";

const NOTES = {
  "tea.md": "# Tea\n\nGreen tea is steamed.\n",
  "green.md": "# Green\n\nTea that is steamed is green tea.\n",
  "deep/oolong.md": "# Oolong\n\nHalf oxidised.\n",
};

/** Of one test, which does something to its daemon. */
let place: Place | undefined;
/** Of the others. */
let shared: Place;
let world: World | undefined;

/** A page of settings, as Obsidian shows and leaves it. */
interface Page {
  containerEl: HTMLElement;
  settingItems: { items?: Page["settingItems"]; name?: string; visible?: () => boolean }[];
  display(): void;
  /** What Obsidian since 1.13 does in its place. */
  renderTab__(): void;
  hide(): void;
}

beforeAll(async () => {
  shared = new Place(NOTES);
  await shared.indexed();
});
afterAll(() => shared.clear());
afterEach(async () => {
  await world?.unload();
  world = undefined;
  await place?.clear();
  place = undefined;
  Notice.said.length = 0;
});

const bar = () => element(".khoj-bar-item").getAttribute("aria-label") ?? "";

async function attached(where: Place = shared): Promise<World> {
  world = await begin(where, NOTES);
  await until("the connection", () => bar().includes("files indexed"));
  return world;
}

/** Search until just these notes are found: what is typed is taken in a moment later, and the same query is not asked again. */
async function found(query: string, notes: string[]): Promise<void> {
  if (document.querySelector(".khoj-search-field") === null) world?.run("search");
  const field = element<HTMLInputElement>(".khoj-search-field");
  const end = Date.now() + 60_000;
  for (let turn = 0; turn === 0 || all(".khoj-hit-note").join() !== notes.join(); turn++) {
    if (Date.now() > end) throw new Error(`${query} finds ${all(".khoj-hit-note").join() || "nothing"}, and not ${notes.join() || "nothing"}`);
    type(field, turn % 2 === 0 ? query : `${query}?`);
    await until("an answer", () => element(".khoj-search-hits").getAttribute("aria-busy") === "false");
  }
}

/** A program in place of khojd that says which process it is, and never comes to an end. */
function endless(where: Place): { command: string; pid: () => number | undefined } {
  where.put("../endless.py", "import os, pathlib, signal\npathlib.Path(__file__).with_name('pid').write_text(str(os.getpid()))\nsignal.pause()\n");
  const pid = path.join(where.base, "pid");
  return { command: `${where.command[0] ?? ""}\n${where.base}/endless.py`, pid: () => (existsSync(pid) ? Number(readFileSync(pid, "utf8")) || undefined : undefined) };
}

/** What can be read on a page of settings. */
function seen({ containerEl }: Page): string {
  const hidden = (one: Element) => one instanceof HTMLElement && one.style.display === "none";
  const read = (one: Element): string => (hidden(one) ? "" : one.childElementCount === 0 ? one.textContent : Array.from(one.children, read).join("\n"));
  return read(containerEl);
}

function running(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

test("on a phone it says that it is for computers, and does nothing", async () => {
  Platform.isDesktopApp = false;
  try {
    place = new Place(NOTES);
    world = new World(place.disk, NOTES, {});
    const { main, asked } = shipped();
    await world.load(main, manifest);
    expect(Notice.said).toEqual(["Khoj works in Obsidian on a computer only, where khojd runs. It does nothing here."]);
    expect([...asked].filter((name) => name !== "obsidian")).toEqual([]); // nothing that a phone lacks
    expect(world.added.commands.size).toBe(0);
  } finally {
    Platform.isDesktopApp = true;
  }
});

test("a start of khojd that nobody waits for any longer is ended, and nothing more is said", async () => {
  place = new Place(NOTES);
  const { command, pid } = endless(place);
  world = await begin(place, NOTES, { command });
  const child = await until("the start", pid);
  expect(running(child)).toBe(true);
  world.run("update");
  await world.unload();
  world = undefined;
  await until("its end", () => !running(child));
  expect(Notice.said).toEqual([]);
});

test("where khojd is not installed one line says what to do, and nothing is installed", async () => {
  place = new Place(NOTES);
  world = await begin(place, NOTES, { command: "khojd-that-is-not-there" });
  await until("the reason", () => bar().includes("the command in the settings names no program: khojd-that-is-not-there"));
  expect(element(".khoj-bar-text").textContent).toBe("Khoj: not connected");
  expect(Notice.said).toEqual([]);
  world.run("update");
  await until("the notice", () => Notice.said.length === 1);
  expect(Notice.said[0]).toBe("Khoj: the command in the settings names no program: khojd-that-is-not-there");
});

test("a server that is not khojd is told from one that is", async () => {
  place = new Place(NOTES);
  place.put("../echo.py", "import sys\nprint('no such option', file=sys.stderr)\nsys.exit(2)\n");
  world = await begin(place, NOTES, { command: `${place.command[0] ?? ""}\n${place.base}/echo.py` });
  await until("the reason", () => bar().includes("no such option"));
});

test("a vault that is no folder of khojd's is asked for once, and remembered in the configuration", async () => {
  place = new Place(NOTES, "", false);
  await place.address();
  world = await begin(place, NOTES);
  const title = await until("the question", () => document.querySelector(".modal-title"));
  expect(title.textContent).toBe("Index this vault?");
  element(".modal-button-container .mod-cta").click();
  await until("the notes", () => bar().includes("3 of 3 files indexed"));
  await until("the folder in the configuration", () => place?.read("../config.toml").includes(`path = "${place.notes}"`));
  expect(Modal.open).toEqual([]);
});

test("a vault that is never to be indexed is not asked for again", async () => {
  place = new Place(NOTES, "", false);
  await place.address();
  world = await begin(place, NOTES);
  await until("the question", () => document.querySelector(".modal-button-container"));
  Array.from(document.querySelectorAll<HTMLElement>(".modal-button-container button")).find((one) => one.textContent === "Never for this vault")?.click();
  await until("that to be kept", () => (world?.added.data as { declined: boolean }).declined);
  world.run("reconnect");
  await until("the connection", () => bar().includes("0 of 0 files indexed"));
  expect(Modal.open).toEqual([]);
});

test("what is typed is found before it is saved", async () => {
  const app = await attached();
  const note = await app.note("tea.md");
  note.editor.replaceRange("A 🫖 porcelain pot.\n", { line: 3, ch: 0 });
  await found("porcelain", ["tea"]);
  expect(all(".khoj-hit-unsaved")).toEqual(["not saved yet"]);
  press("Enter");
  await until("the mark", () => note.contentEl.querySelector(".khoj-found"));
  expect(all(".khoj-found", note.contentEl).join(" ")).toContain("A 🫖 porcelain pot.");
});

test("what is typed is found from every pane as long as it is open, and under the name that its note has by now", async () => {
  place = new Place(NOTES);
  await place.indexed();
  const app = await attached(place);
  const tea = await app.note("tea.md");
  const green = await app.note("green.md", true);
  tea.editor.replaceRange("A porcelain pot.\n", { line: 3, ch: 0 }); // in the pane that is not active
  green.editor.replaceRange("An iron lid.\n", { line: 3, ch: 0 });
  await found("porcelain", ["tea"]);
  await found("iron", ["green"]);
  const lost = until("the loss", () => !bar().includes("files indexed"));
  app.run("reconnect");
  await lost;
  await until("the connection", () => bar().includes("files indexed"));
  await found("porcelain", ["tea"]);
  await found("iron", ["green"]);
  await app.vault.rename(tea.file, "kettle.md");
  await found("porcelain", ["kettle"]);
  await app.close(tea);
  await found("porcelain", []);
  await found("iron", ["green"]);
});

test("after khojd was stopped it is started again, and knows of the unsaved text", async () => {
  place = new Place(NOTES);
  await place.indexed();
  const app = await attached(place);
  const before = await place.pid();
  const note = await app.note("tea.md");
  note.editor.replaceRange("A porcelain pot.\n", { line: 3, ch: 0 });
  const lost = until("the loss", () => !bar().includes("files indexed"));
  await Promise.all([lost, place.khojd("stop", "--force")]);
  await until("another daemon", () => bar().includes("3 of 3 files indexed"));
  expect(await place.pid()).not.toBe(before);
  await found("porcelain", ["tea"]);
});

test("the panel has every file with its state, takes actions, and exports JSON", async () => {
  place = new Place(NOTES);
  await place.indexed();
  const app = await attached(place);
  place.put("broken.md", Buffer.from([0xff, 0xfe, 0x00, 0xd8, 0x00])); // begins as UTF-16, and is not
  app.run("update");
  await until("the failure", () => bar().includes("1 failed"));
  element(".khoj-bar-item").click();
  await until("the files", () => all(".khoj-file-path").length === 4);
  expect(all(".khoj-file-path")[0]).toBe("broken.md");
  expect(all(".khoj-file-reason")[0]).toMatch(/utf-16/i);
  const made: Blob[] = [];
  URL.createObjectURL = (blob) => {
    made.push(blob as Blob);
    return "blob:made";
  };
  URL.revokeObjectURL = () => undefined;
  Array.from(document.querySelectorAll<HTMLElement>(".khoj-bar button")).find((one) => one.textContent.includes("JSON"))?.click();
  const blob = await until("the export", () => made[0]);
  const text = await new Promise<string>((resolve) => {
    const reader = new FileReader(); // jsdom's Blob has no text()
    reader.onload = () => { resolve(reader.result as string); };
    reader.readAsText(blob);
  });
  expect((JSON.parse(text) as { files: unknown[] }).files).toHaveLength(4);
  Array.from(document.querySelectorAll<HTMLElement>(".khoj-bar button")).find((one) => one.textContent.includes("Pause"))?.click();
  await until("the pause", () => element(".khoj-bar-text").textContent.includes("paused"));
  app.run("pause");
  await until("it to go on", () => !element(".khoj-bar-text").textContent.includes("paused"));
  place.put("broken.md", "# Mended\n");
  element("button[aria-label='Read again']", element(".khoj-file")).click();
  await until("all to be well", () => bar().includes("4 of 4 files indexed"));
  const row = Array.from(document.querySelectorAll<HTMLElement>(".khoj-file")).find((one) => one.textContent.includes("oolong.md"));
  row?.querySelector<HTMLElement>("button[aria-label=Open]")?.click();
  await until("the note", () => app.shown?.file.path === "deep/oolong.md");
});

test("similar notes follow the cursor when asked to", async () => {
  const app = await attached();
  const note = await app.note("tea.md");
  app.run("similar-cursor");
  await until("what is like it", () => all(".khoj-similar .khoj-hit-note").includes("green"));
  expect(element(".khoj-similar-head").textContent).toMatch(/^tea, line 1/);
  const hovered: unknown[] = [];
  app.workspace.on("hover-link", (event) => { hovered.push(event); });
  element(".khoj-similar .khoj-hit").dispatchEvent(new MouseEvent("mouseenter"));
  expect(hovered).toMatchObject([{ source: "khoj-similar", linktext: "green.md#Green" }]);
  await app.note("deep/oolong.md");
  await until("another note", () => element(".khoj-similar-head").textContent.includes("oolong"));
  expect(note.contentEl.isConnected).toBe(false);
});

test("similar notes are those of the selection or the whole note where that is asked, and stay when they need not follow", async () => {
  world = await begin(shared, NOTES, { follow: false });
  await until("the connection", () => bar().includes("files indexed"));
  const head = () => (document.querySelector(".khoj-similar-head")?.textContent ?? "").split(" · ")[0]; // what it is like; a remark may follow
  const note = await world.note("tea.md");
  note.editor.setSelection({ line: 2, ch: 0 }, { line: 2, ch: 21 });
  world.run("similar-selection");
  await until("those of the selection", () => all(".khoj-similar .khoj-hit-note").includes("green") && head() === "tea, the selection");
  world.run("similar-note");
  await until("those of the note", () => head() === "tea");
  const other = await world.note("deep/oolong.md");
  other.contentEl.dispatchEvent(new KeyboardEvent("keyup", { bubbles: true }));
  await new Promise((resolve) => setTimeout(resolve, 600)); // twice as long as it waits for the cursor to rest
  expect(head()).toBe("tea");
  element<HTMLSelectElement>(".khoj-similar select").dispatchEvent(new Event("change"));
  await until("those of the other note, asked for by hand", () => head()?.endsWith("oolong"));
});

test("commands that are about a note are there as long as one is", async () => {
  const app = await attached();
  const about = ["insert-link", "similar-cursor", "similar-selection", "similar-note", "chat-about"];
  expect(about.filter((id) => app.offers(id))).toEqual([]);
  await app.note("tea.md");
  expect(about.filter((id) => app.offers(id))).toEqual(about);
});

test("notes are made from khojd's templates: that of today, and one with a title", async () => {
  place = new Place(NOTES, '[[notes.templates]]\nname = "meeting"\nfolder = "meetings"\ntext = "# {title}\\n\\nWho came:\\n"\n');
  await place.indexed();
  const app = await attached(place);
  app.run("today");
  const day = await until("the note of today", () => app.shown);
  expect(day.file.path).toMatch(/^\d{4}-\d\d-\d\d\.md$/);
  expect(day.editor.getValue()).toContain(`# ${day.file.basename}`);
  app.run("new-note");
  const title = await until("the dialog", () => document.querySelector<HTMLInputElement>(".modal input[aria-label=Title]"));
  const template = element<HTMLSelectElement>(".modal select[aria-label=Template]");
  expect(Array.from(template.options, (one) => one.value)).toEqual(["note", "meeting"]);
  template.value = "meeting";
  title.value = "Tea at five";
  press("Enter");
  const note = await until("the new note", () => (app.shown?.file === day.file ? undefined : app.shown));
  expect(note.file.path).toMatch(/^meetings\/tea-at-five\.md$/i);
  expect(note.editor.getValue()).toContain("# Tea at five\n\nWho came:");
});

test("configuration and log are opened with the system's program", async () => {
  const app = await attached();
  app.run("configuration");
  app.run("log");
  await until("both", () => opened.some((path) => path.endsWith(".log")) && opened.includes(shared.config));
});

test("unloading takes all that was added with it, and leaves khojd", async () => {
  const app = await attached();
  await app.note("tea.md");
  app.run("chat");
  app.run("status");
  app.run("similar-note");
  await until("the views", () => document.querySelectorAll(".khoj-chat, .khoj-status, .khoj-similar").length === 3);
  await app.unload();
  expect(app.added.commands.size).toBe(0);
  expect(app.added.views.size).toBe(0);
  expect(app.added.extensions).toEqual([]);
  expect(document.querySelectorAll("[class*=khoj-]").length).toBe(0);
  world = undefined;
});

test("no command has a key of its own, and names are in sentence case without the plugin's name", async () => {
  const app = await attached();
  for (const command of app.added.commands.values()) {
    expect(command.hotkeys).toBeUndefined();
    expect(command.id).not.toContain("khoj");
    expect(command.name).toMatch(/^[A-Z][^A-Z]*$/);
  }
});

test("the rows of the page of settings are told to Obsidian, which finds them by their words", async () => {
  const app = await attached();
  const page = app.plugin?.settingTabs__[0] as unknown as Page;
  const told = page.settingItems.flatMap((item) => item.items ?? [item]);
  page.display();
  expect(told.length).toBeGreaterThan(10);
  for (const { name = "", visible } of told) expect(seen(page).includes(name)).toBe(visible?.() !== false);
});

// Obsidian before 1.13 has the page draw itself, later ones draw what they are told of it.
describe.each(["display", "renderTab__"] as const)("the page of settings, by %s,", (draw) => {
  test("has sections, and rows that say what they are for", async () => {
    const app = await attached();
    const page = app.plugin?.settingTabs__[0] as unknown as Page;
    page[draw]();
    for (const text of ["Connect at start", "Search", "Delay", "Chat", "Persona", "Connection", "Command", "Socket"]) {
      expect(seen(page)).toContain(text);
    }
    expect(seen(page)).not.toMatch(/settings|You have said/i);
  });

  test("keeps what is set; a number that cannot be is marked and not taken", async () => {
    const app = await attached();
    const page = app.plugin?.settingTabs__[0] as unknown as Page;
    page[draw]();
    const fields = page.containerEl.querySelectorAll<HTMLInputElement>("input[type=text], input:not([type])");
    const [delay, limit, , , config] = Array.from(fields);
    const kept = () => app.added.data as Record<string, unknown>;
    for (const text of ["201", "-1", "2.5", "", "many"]) {
      type(limit ?? document.createElement("input"), text);
      expect(limit?.classList.contains("khoj-wrong")).toBe(true);
    }
    type(limit ?? document.createElement("input"), "12");
    type(delay ?? document.createElement("input"), "5");
    await until("both to be kept", () => kept().limit === 12 && kept().delay === 5);
    expect(limit?.classList.contains("khoj-wrong")).toBe(false);
    // Where khojd is changes when the page is closed, not with each letter.
    type(config ?? document.createElement("input"), "/nowhere/config.toml");
    expect(bar()).toContain("files indexed");
    page.hide();
    await until("the reason", () => bar().includes("/nowhere/config.toml"));
  });

  test("has a person be asked again about a vault that was declined", async () => {
    place = new Place(NOTES, "", false);
    await place.address();
    world = await begin(place, NOTES, { declined: true });
    await until("the connection", () => bar().includes("0 of 0 files indexed"));
    const page = world.plugin?.settingTabs__[0] as unknown as Page;
    page[draw]();
    const row = Array.from(page.containerEl.querySelectorAll("button")).find((one) => one.textContent === "Ask again");
    row?.click();
    await until("the question", () => document.querySelector(".modal-title")?.textContent === "Index this vault?");
    expect(seen(page)).not.toContain("You have said");
  });
});
