// The shipped plugin as one of several editors at one daemon: tests/editors/together says what to do.
import { readFile, writeFile } from "node:fs/promises";
import * as path from "node:path";
import { test } from "vitest";

import { type Asked, play } from "../../../common/test/player";
import { all, begin, element, press, type, until, WHOLE } from "../shipped";

const BASE = process.env.KHOJ_TEST_PLACE ?? "";
const NOTES = path.join(BASE, "notes");

test("takes part", async () => {
  const at = (name: string) => path.join(NOTES, name);
  const disk = {
    base: NOTES,
    read: (name: string) => readFile(at(name), "utf8"),
    write: (name: string, text: string) => writeFile(at(name), text),
    mkdir: () => Promise.reject(new Error("nothing is made here")),
    rename: () => Promise.reject(new Error("nothing is renamed here")),
  };
  const command = JSON.parse(process.env.KHOJD ?? "[]") as string[];
  const settings = { command: command.join("\n"), index: path.join(BASE, "index"), config: path.join(BASE, "config.toml"), delay: 0 };
  const world = await begin({ disk, settings, enter: () => undefined }, { "tea.md": await disk.read("tea.md") });

  const find = async ({ query = "" }: Asked): Promise<string[]> => {
    world.run("search");
    type(element<HTMLInputElement>(".khoj-search-field"), query);
    await until("the whole list", () => element(".khoj-search-hits").getAttribute("aria-busy") === "false");
    const found = all(".khoj-hit-note");
    press("Escape");
    return [...new Set(found)];
  };
  const questions = (): string[] => all(".khoj-question");

  await play("obsidian", {
    find,
    await: async (asked) => {
      for (;;) {
        const found = await find(asked);
        if (found.length > 0) return found;
      }
    },
    continue: async ({ title = "" }) => {
      world.run("conversations");
      const row = await until("the conversation", () => [...document.querySelectorAll<HTMLElement>(".khoj-conversation-open")]
        .find((each) => each.textContent.includes(title)));
      row.click();
      await until("its turns", () => questions().length > 0);
      return questions();
    },
    ask: async ({ question = "" }) => {
      const before = all(".khoj-turn").length;
      type(element<HTMLTextAreaElement>(".khoj-question-field"), question);
      element<HTMLTextAreaElement>(".khoj-question-field").focus();
      press("Enter");
      await until("the end", () => all(".khoj-turn").length > before && document.querySelector(WHOLE));
      return element(".khoj-turn:last-child .khoj-answer").textContent;
    },
  });
  await world.unload();
});
