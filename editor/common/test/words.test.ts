import { homedir } from "node:os";
import { describe, expect, it } from "vitest";

import { unlinked } from "../src/channel";
import { address, copied, insertion, lastLine } from "../src/links";
import { placeOf } from "../src/place";
import { Remembered } from "../src/remembered";
import type { IndexStatus } from "../src/protocol";
import { line } from "../src/status";

const WELL: IndexStatus = {
  indexed: 12, pending: 0, skipped: 3, failed: 0, entries: 40, wordsPending: 0, vectorsPending: 0, queue: 0, paused: false,
  running: null, filesPerSecond: 0, entriesPerSecond: 0, model: "e5", modelTarget: "", modelProblem: "", embedded: 0, cacheHits: 0, cacheMisses: 0,
  catalogBytes: 0, wordsBytes: 0, vectorsBytes: 0, buffers: 0, folders: [], problems: [],
};

describe("the line of the status", () => {
  it("is empty when all is done, and counts what is left", () => {
    expect(line(WELL)).toEqual({ text: "", detail: "12 of 12 files indexed", kind: "ok" });
    expect(line({ ...WELL, pending: 8 })).toEqual({ text: "12/20", detail: "12 of 20 files indexed", kind: "busy" });
    expect(line({ ...WELL, vectorsPending: 7 })).toMatchObject({ text: "", kind: "busy" });
  });

  it("says what is paused, and what is wrong before all else", () => {
    expect(line({ ...WELL, pending: 1, paused: true })).toMatchObject({ text: "12/13, paused", kind: "paused" });
    expect(line({ ...WELL, failed: 2, paused: true })).toEqual({
      text: "paused, 2 failed",
      detail: "12 of 14 files indexed, 2 failed, paused",
      kind: "problem",
    });
    const folder = { path: "/n", files: 0, watching: "off" as const, problem: "it is not there" };
    expect(line({ ...WELL, folders: [folder] })).toMatchObject({ detail: "12 of 12 files indexed; /n: it is not there", kind: "problem" });
  });
});

describe("links", () => {
  const range = { start: { line: 4, character: 2 }, end: { line: 5, character: 0 } };
  const hit = { location: { uri: "file:///n/a%20(b).md", range }, headings: ["One", "Two [2]"], title: "", path: "/n/a (b).md" };

  it("are asked of the daemon by note and innermost heading", () => {
    const asked = insertion(hit, "file:///n/x.md", range.start);
    expect(asked).toEqual({ textDocument: { uri: "file:///n/x.md" }, position: range.start, target: hit.location.uri, heading: "Two [2]" });
    expect(insertion({ ...hit, headings: [] }, "file:///n/x.md", range.start)).not.toHaveProperty("heading");
  });

  it("and marks end with its last line that has text", () => {
    const at = (line: number, character: number) => ({ line, character });
    expect(lastLine({ start: at(2, 0), end: at(3, 0) })).toBe(2);
    expect(lastLine({ start: at(2, 0), end: at(3, 1) })).toBe(3);
    expect(lastLine({ start: at(2, 0), end: at(2, 0) })).toBe(2);
  });

  it("for the clipboard are Markdown with the line", () => {
    expect(copied(hit)).toBe("[a (b).md › Two \\[2\\]](file:///n/a%20%28b%29.md#L5)");
    expect(copied({ ...hit, title: "Tea", headings: ["Tea"] })).toContain("[Tea](");
    expect(address({ uri: "file:///n/a.md", range: { start: { line: 0, character: 0 }, end: range.end } })).toBe("file:///n/a.md");
  });
});

describe("the place of khojd", () => {
  it("is what the settings say, with the home directory for ~", () => {
    expect(placeOf({ command: [], config: "", index: "", socket: "" })).toEqual({ command: ["khojd"], options: [], socket: "" });
    expect(placeOf({ command: ["~/bin/khojd", "~"], config: "~/k.toml", index: "/i", socket: "" })).toEqual({
      command: [`${homedir()}/bin/khojd`, "~"],
      options: ["--config", `${homedir()}/k.toml`, "--index", "/i"],
      socket: "",
    });
  });
});

describe("words of others", () => {
  it("are no links in a notification", () => {
    expect(unlinked("no note [here](command:workbench.action.quit)")).not.toMatch(/\[[^\]]+\]\(/);
    expect(unlinked("plain (text) [1]")).toBe("plain (text) [1]");
  });
});

describe("what is remembered", () => {
  it("is asked for once at a time, and again after a failure", async () => {
    const answers = [Promise.reject(new Error("no connection")), Promise.resolve("tags")];
    let asked = 0;
    const tags = new Remembered(() => answers[asked++] ?? Promise.resolve("asked too often"));
    await expect(Promise.all([tags.get(), tags.get()])).rejects.toThrow("no connection");
    expect(asked).toBe(1);
    expect(await Promise.all([tags.get(), tags.get()])).toEqual(["tags", "tags"]);
    expect(asked).toBe(2);
  });
});
