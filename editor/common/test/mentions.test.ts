import { describe, expect, it } from "vitest";

import { completed } from "../src/filters";
import { mention, mentions, type Note } from "../src/mentions";

const NOTES: Note[] = ["Running plan", "Sleep", "river-gauge", "箱根の温泉"].map((name) => ({ name, folder: "notes" }));

/** The question after the first completion at `|`, with `|` where the cursor is then. */
function first(written: string): string {
  const cursor = written.indexOf("|");
  const text = written.replace("|", "");
  const found = mentions(text, cursor, NOTES);
  const [item] = found.items;
  if (item === undefined) return "nothing";
  const done = completed(text, found, { ...item, text: item.text.trimEnd() });
  return `${done.text.slice(0, done.cursor)}|${done.text.slice(done.cursor)}`;
}

describe("completion in a question", () => {
  it("knows the commands at its beginning only", () => {
    expect(first("/su|")).toBe("/summarize |");
    expect(mentions("/", 1, NOTES).items.map((one) => one.text)).toContain("/research ");
    expect(first("what is /su|")).toBe("nothing");
    expect(first("/home/ada|")).toBe("nothing");
  });

  it("writes the name of a note after @, in quotes where it needs them", () => {
    expect(first("see @sl|")).toBe("see @Sleep |");
    expect(first("see @run|")).toBe('see @"Running plan" |');
    expect(first('see @"running p|"')).toBe('see @"Running plan" |');
    expect(first("@river|")).toBe("@river-gauge |");
    expect(first("@箱|")).toBe("@箱根の温泉 |");
    expect(mention("C++")).toBe('@"C++"');
  });

  it("leaves addresses of mail alone", () => {
    expect(first("ada@sl|")).toBe("nothing");
    expect(first("@@sl|")).toBe("nothing");
  });

  it("closes a link, once", () => {
    expect(first("see [[run|")).toBe("see [[Running plan]] |");
    expect(first("see [[run|]]")).toBe("see [[Running plan]] |");
  });

  it("puts names that begin so before those that hold it", () => {
    expect(mentions("@r", 2, NOTES).items.map((one) => one.text)).toEqual(['@"Running plan" ', "@river-gauge "]);
    expect(mentions("@l", 2, NOTES).items.map((one) => one.text)).toEqual(['@"Running plan" ', "@Sleep "]);
    expect(mentions("nothing", 7, NOTES).items).toEqual([]);
  });
});
