import { describe, expect, it } from "vitest";

import { about, remark, segments, source, sources, spent } from "../src/answer";
import { citation, random, reference, usage } from "./paper";

describe("the pieces of an answer", () => {
  it("are its text and its citations, by UTF-16 units", () => {
    const text = "🦵 膝 [1][2], and [^3].";
    const cited = [
      citation({ number: 1, at: text.indexOf("[1]") }),
      citation({ number: 2, at: text.indexOf("[2]") }),
      citation({ number: 3, at: text.indexOf("[^3]") }),
    ];
    expect(segments(text, cited).map((one) => [one.kind, one.text])).toEqual([
      ["text", "🦵 膝 "], ["citation", "[1]"], ["citation", "[2]"], ["text", ", and "], ["citation", "[^3]"], ["text", "."],
    ]);
  });

  it("are none for a citation whose marker is not there (yet)", () => {
    expect(segments("No markers.", [citation({ number: 1, at: 11 }), citation({ number: 2, at: 3 })])).toEqual([
      { kind: "text", text: "No markers." },
    ]);
    expect(segments("See [1", [citation({ number: 1, at: 4 })])).toEqual([{ kind: "text", text: "See [1" }]);
    expect(segments("See [12]", [citation({ number: 1, at: 4 })])).toEqual([{ kind: "text", text: "See [12]" }]);
    expect(segments("", [])).toEqual([]);
  });

  it("are the whole answer, whatever the citations say", () => {
    const next = random(7);
    const alphabet = ["[1]", "[2]", "[^3]", " ", "a", "🎗", "\n", "`", "["];
    for (let run = 0; run < 300; run++) {
      const text = Array.from({ length: 12 }, () => alphabet[Math.floor(next() * alphabet.length)] ?? "").join("");
      const cited = Array.from({ length: 4 }, () =>
        citation({ number: 1 + Math.floor(next() * 3), at: Math.floor(next() * (text.length + 2)) }));
      expect(segments(text, cited).map((one) => one.text).join("")).toBe(text);
    }
  });

  it("name the citation of each marker, in whatever order they come", () => {
    const cited = [citation({ number: 2, at: 7 }), citation({ number: 1, at: 2 })];
    expect(segments("a [1] b[2]", cited).flatMap((one) => (one.kind === "citation" ? [[one.text, one.index]] : []))).toEqual([
      ["[1]", 1], ["[2]", 0],
    ]);
  });
});

describe("the sources of an answer", () => {
  it("are each number once, with its first quote and its date", () => {
    const found = sources(
      [citation({ number: 3 }), citation({ number: 1, quote: "first" }), citation({ number: 1, quote: "second" })],
      [reference({ number: 1, date: "2026-06-01" }), reference({ number: 3 })],
    );
    expect(found.map((one) => [one.number, one.quote, one.date])).toEqual([[1, "first", "2026-06-01"], [3, "A stabbing pain.", ""]]);
  });

  it("are weak where each of their citations is, and stale where one is", () => {
    const [first, second] = sources(
      [citation({ number: 1, weak: true }), citation({ number: 1 }), citation({ number: 2, weak: true, state: "stale" })], []);
    expect([first?.weak, first?.stale]).toEqual([false, false]);
    expect([second?.weak, second?.stale]).toEqual([true, true]);
  });

  it("are there for a reference that only khojd names", () => {
    expect(sources([], [reference({ number: 4 })])).toMatchObject([{ number: 4, quote: "A stabbing pain. Always.", weak: false }]);
  });
});

describe("words", () => {
  it("name a note by its title, else its file, and a heading once", () => {
    expect(source(citation({}))).toBe("Running plan › The knee");
    expect(source(citation({ title: "", headings: [] }))).toBe("Running plan.md");
    expect(source(citation({ title: "A", headings: ["A", "B"] }))).toBe("A › B");
    expect(source({ title: "", path: "C:\\notes\\a.md", headings: [] })).toBe("a.md");
  });

  it("say what is doubtful about a citation", () => {
    expect(about(citation({}))).toBe("Running plan › The knee: “A stabbing pain.”");
    expect(about(citation({ weak: true, state: "stale" }))).toContain("The knee (changed since) (weak): ");
  });

  it("say what an answer took as far as it is known", () => {
    expect(spent(usage({ promptTokens: 1234, answerTokens: 56, totalSeconds: 2.04, tokensPerSecond: 45.4, cost: 0.00123 }))).toBe(
      "1,234 + 56 tokens · 2.0 s · 45 tokens/s · costs 0.0012",
    );
    expect(spent(usage({ totalSeconds: 0.31, tokensPerSecond: 9000 }))).toBe("0.3 s"); // too short to tell
    expect(spent(usage({}))).toBe("");
    expect(spent(null)).toBe("");
  });
});

describe("what is said of an answer that is not whole", () => {
  it("is one word, and why", () => {
    expect(remark({ state: "failed", reason: "there is no model" })).toBe("Failed: there is no model");
    expect(remark({ state: "cancelled", reason: "" })).toBe("Stopped");
    expect(remark({ state: "cut-off", reason: "the connection to khojd was lost" })).toBe("Cut off: the connection to khojd was lost");
    expect(["complete", "running"].map((state) => remark({ state: state as "complete", reason: "" }))).toEqual(["", ""]);
  });
});
