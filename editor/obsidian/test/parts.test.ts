// Parts of the plugin by themselves: what must not go wrong with any text.
import type { MarkdownView } from "obsidian";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { blocks } from "../src/blocks";
import { lines } from "../src/difference";
import { edited, type TextEdit } from "../src/edits";
import { Paths } from "../src/paths";
import { harmless } from "../src/quiet";
import { DEFAULTS, restored } from "../src/settings";
import { difference, Unsaved } from "../src/unsaved";

const at = (line: number, character: number) => ({ line, character });
const edit = (from: [number, number], to: [number, number], newText: string): TextEdit => {
  return { range: { start: at(...from), end: at(...to) }, newText };
};

describe("what is rendered", () => {
  const unseen = "\u2060"; // taken out of what was rendered
  const plain = (text: string) => harmless(text).replaceAll(unseen, "");

  test("is the same text", () => {
    for (const text of ["a < b ![x](y) `= this` `$= run()`", "- ```dot\n  <%+ x %>\n  ```", "> ```\n> <img>\n> ```\n<b>"]) {
      expect(plain(text)).toBe(text);
    }
  });

  test("has no code in a language that a plugin might run", () => {
    expect(harmless("```dataviewjs\nx\n```")).toBe(`\`\`\`${unseen}dataviewjs\nx\n\`\`\``);
    expect(harmless("~~~ Mermaid\nx\n~~~")).toBe(`~~~ ${unseen}Mermaid\nx\n~~~`);
    expect(harmless("```python\nx\n```")).toBe("```python\nx\n```");
    expect(harmless("`$= x` `= y`")).toBe(`\`${unseen}$= x\` \`${unseen}= y\``);
  });

  test("has no tag and no embed, whatever a line before it may have opened", () => {
    for (const before of ["", "```\n", "    ```\n", "> ```\n", "$$\n```\n$$\n", "---\n~~~\n---\n", "%%\n", "`", "1. ```\n"]) {
      expect(harmless(`${before}<script>`)).not.toContain("<s");
      expect(harmless(`${before}</b><%+ x %><!--`)).not.toMatch(/<[^\u2060]/);
      expect(harmless(`${before}![[note]]![p](u)`)).not.toContain("![");
      expect(harmless(`${before}\n\`\`\`tasks`)).not.toContain("`tasks");
    }
    expect(harmless("<https://example.org>")).toBe("<https://example.org>");
  });
});

describe("blocks of an answer", () => {
  test("end at blank lines, but not in code and lists", () => {
    expect(blocks("a\nb\n\nc", [])).toEqual(["a\nb\n", "c"]);
    expect(blocks("```\na\n\nb\n```\n\nc", [])).toEqual(["```\na\n\nb\n```\n", "c"]);
    expect(blocks("- a\n\n  b\n- c", [])).toEqual(["- a\n\n  b\n- c"]);
  });

  test("that are whole stay the same when the answer grows", () => {
    const text = "# One\n\nTwo *three*.\n\n```js\nfour\n\nfive\n```\n\n- six\n- seven\n\nEight.";
    for (let end = 1; end < text.length; end++) {
      const now = blocks(text.slice(0, end), []);
      const later = blocks(text.slice(0, end + 1), []);
      expect(later.slice(0, now.length - 1)).toEqual(now.slice(0, -1));
    }
  });
});

describe("a change of text", () => {
  test("that is told makes the new text of the old one, and cuts no character", () => {
    const texts = ["", "a", "ab🍵c", "ab🍃c", "🍵", "🍵🍵", "a\nb\nc", "a\nc", "aaaa", "aa", "🍵x🍵"];
    for (const old of texts) {
      for (const now of texts) {
        const change = difference(old, now);
        if (change === undefined) {
          expect(now).toBe(old);
          continue;
        }
        expect(old.slice(0, change.from) + change.text + old.slice(change.to)).toBe(now);
        expect(change.text).not.toMatch(/^[\udc00-\udfff]|[\ud800-\udbff]$/);
      }
    }
  });

  test("by several edits is made from the end, in lines of any kind", () => {
    const text = "one\r\ntwo 🍵\rthree\nfour";
    expect(edited(text, [edit([0, 0], [0, 3], "1"), edit([1, 4], [1, 6], "tea"), edit([3, 9], [9, 0], "!")])).toBe("1\r\ntwo tea\rthree\nfour!");
    expect(edited("ab", [edit([0, 1], [0, 1], "x"), edit([0, 1], [0, 1], "y")])).toBe("axyb");
    expect(edited("a\r\nb", [edit([0, 99], [0, 99], "!")])).toBe("a!\r\nb");
  });

  test("is shown by the lines that differ", () => {
    expect(lines("a\nb\nc\n", "a\nx\nc\nd\n").map(({ kind, text }) => `${kind[0] ?? ""}${text}`)).toEqual(["sa", "rb", "ax", "sc", "ad"]);
    expect(lines("", "a\n")).toEqual([{ kind: "added", text: "a" }]);
    const many = Array.from({ length: 2000 }, (_, line) => `${line}`).join("\n");
    expect(lines(many, `${many}!`).filter((line) => line.kind !== "same")).toHaveLength(2);
  });
});

describe("paths", () => {
  const paths = new Paths("/home/a/My vault", "/disk/vault");

  test("of the vault come from addresses, by both of its names", () => {
    expect(paths.inside("file:///home/a/My%20vault/b%C3%A4r/c%23.md")).toBe("bär/c#.md");
    expect(paths.inside("/disk/vault/x.md")).toBe("x.md");
    expect(paths.inside("file:///home/a/My%20vault%202/x.md")).toBeUndefined();
    expect(paths.inside("file:///home/a/My%20vault/../x.md")).toBeUndefined();
    expect(paths.uri("bär/c#.md")).toBe("file:///home/a/My%20vault/b%C3%A4r/c%23.md");
  });

  test("tell whether a folder of khojd's holds the vault", () => {
    expect(["/home/a", "/home/a/My vault", "/disk/vault"].map((folder) => paths.within(folder))).toEqual([true, true, true]);
    expect(["/home/a/My vault/deep", "/home/b"].map((folder) => paths.within(folder))).toEqual([false, false]);
    expect(paths.covered("/home/a/My vault/deep", "deep/x.md")).toBe(true);
    expect(paths.covered("/home/a/My vault/deep", "x.md")).toBe(false);
  });
});

test("stored settings of another type are as they were delivered", () => {
  expect(restored(null)).toEqual(DEFAULTS);
  expect(restored({ delay: "5", limit: 7, unknown: true })).toEqual({ ...DEFAULTS, limit: 7 });
});

/** Params of the notifications about open notes. */
interface Told {
  textDocument: { uri: string; text?: string };
  contentChanges?: { text: string }[];
}

describe("unsaved text", () => {
  /** A pane, and how often its text was read. */
  const pane = (file: object, text: string) => {
    const one = { file, text, read: 0, editor: { getValue: () => { one.read += 1; return one.text; } } };
    return Object.assign(one, { view: one as unknown as MarkdownView });
  };
  let told: string[];
  let unsaved: Unsaved;
  beforeEach(() => {
    told = [];
    unsaved = new Unsaved({
      notify: (method, params) => {
        const { textDocument, contentChanges = [] } = params as Told;
        const text = textDocument.text ?? contentChanges[0]?.text ?? "";
        told.push(`${method.slice("textDocument/did".length)} ${textDocument.uri.slice("file:///".length)} ${text}`.trim());
      },
    });
  });
  afterEach(() => { unsaved.leave(); });

  test("is that of the note that was opened, also while its view loads another", () => {
    const shown = pane({ path: "a.md" }, "one\n");
    unsaved.follow([[shown.view, "file:///a.md"]]);
    shown.text = "one and more\n";
    unsaved.flush();
    expect(told).toEqual(["Open a.md one", "Change a.md  and more"]);
    shown.file = { path: "b.md" };
    shown.text = "two\n";
    unsaved.changed(shown.view);
    unsaved.flush();
    unsaved.restore();
    expect(told).toHaveLength(2);
    unsaved.follow([[shown.view, "file:///b.md"]]);
    expect(told.slice(2)).toEqual(["Close a.md", "Open b.md two"]);
  });

  test("of many panes is read again only where something was typed", () => {
    const panes = ["a", "b", "c"].map((name) => pane({}, name));
    const follow = () => { unsaved.follow(panes.map((one, index) => [one.view, `file:///${index}.md`])); };
    follow();
    unsaved.flush(); // a pane may have been loading when it was met
    for (const one of panes) one.read = 0;
    const [, typed] = panes;
    if (typed === undefined) throw new Error("there is no such pane");
    typed.text = "bee";
    unsaved.changed(typed.view);
    follow();
    unsaved.flush();
    unsaved.flush();
    expect(panes.map((one) => one.read)).toEqual([0, 1, 0]);
    expect(told).toEqual(["Open 0.md a", "Open 1.md b", "Open 2.md c", "Change 1.md ee"]);
  });

  test("of a note in two panes is that which was typed in last, and outlives the pane", () => {
    const file = {};
    const [first, second] = [pane(file, "one"), pane(file, "one")];
    unsaved.follow([[first.view, "file:///a.md"], [second.view, "file:///a.md"]]);
    second.text = "once";
    unsaved.changed(second.view);
    expect(unsaved.current("file:///a.md")).toMatchObject({ version: 2, view: second.view });
    first.text = "once upon";
    unsaved.follow([[first.view, "file:///a.md"]]);
    unsaved.flush();
    expect(told).toEqual(["Open a.md one", "Change a.md c", "Change a.md  upon"]);
    unsaved.follow([]);
    expect(told.at(-1)).toBe("Close a.md");
  });

  test("goes with the note to its new name", () => {
    const shown = pane({ path: "a.md" }, "one");
    unsaved.follow([[shown.view, "file:///a.md"]]);
    unsaved.follow([[shown.view, "file:///b.md"]]);
    expect(told).toEqual(["Open a.md one", "Close a.md", "Open b.md one"]);
  });
});
