import { describe, expect, it } from "vitest";

import { completed, completions, type Known } from "../src/filters";

const KNOWN: Known = { tags: ["work", "work/deep", "home"], files: ["Papers", "my note.md", "paper.org"], languages: ["de", "en"] };

function items(text: string): string[] {
  return completions(text, text.length, KNOWN).items.map((item) => item.text);
}

function taken(text: string, choice: string, cursor = text.length): string {
  const found = completions(text, cursor, KNOWN);
  const item = found.items.find((one) => one.text === choice);
  return item === undefined ? `${choice} is not offered` : completed(text, found, item).text;
}

describe("completion of filters", () => {
  it("offers names once there is a letter, and nothing for other words", () => {
    expect(items("budget ta")).toEqual(["tag:"]);
    expect(items("de")).toEqual(["deadline:"]);
    expect(items("-deadline")).toEqual(["deadline:", "deadline>=", "deadline<="]);
    expect([items(""), items("budget "), items("Tag"), items("budget")]).toEqual([[], [], [], []]);
  });

  it("offers what the notes have, what begins so first", () => {
    expect(items("tag:")).toEqual(["work", "work/deep", "home"]);
    expect(items("tag:ho")).toEqual(["home"]);
    expect(items("file:PAP")).toEqual(["Papers", "paper.org"]);
    expect(items("file:note")).toEqual(['"my note.md"']);
    expect(items("-lang:")).toEqual(["de", "en"]);
  });

  it("knows where values end: commas, quotes, operators", () => {
    expect(items("todo:NEXT,WA")).toEqual(["WAITING"]);
    expect(items('date:"last w')).toEqual(['"last week"']);
    expect(items("deadline<=to")).toEqual(["today", "tomorrow"]);
    expect([items("deadline:an"), items("deadline<=an")]).toEqual([["any"], []]);
    expect(items('+"exact words ta')).toEqual([]);
  });

  it("puts a choice in place of what was typed, and nothing else", () => {
    expect(taken("budget ta", "tag:")).toBe("budget tag:");
    expect(taken("budget -ta rest", "tag:", 10)).toBe("budget -tag: rest");
    expect(taken("tag:home,wo", "work")).toBe("tag:home,work ");
    expect(taken('x date:"last w', '"last week"')).toBe('x date:"last week" ');
    expect(taken("🍵 file:no", '"my note.md"')).toBe('🍵 file:"my note.md" ');
  });

  it("offers nothing behind names that are no filters", () => {
    expect([items("http:"), items("note:x")]).toEqual([[], []]);
  });
});
