import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { cancelled, channel, Cut, cut, kind, reason, type Channel, type Wire } from "../src/channel";
import type { Hit, SearchResult } from "../src/protocol";
import { Search } from "../src/search";

interface Asked {
  method: string;
  params: { query?: string; limit?: number; folders?: string[]; partialResultToken?: string; workDoneToken?: string };
  signal: AbortSignal | undefined;
  answer(value: unknown): void;
  refuse(failure: unknown): void;
}

/** The other end of a wire: what was asked, and who listens. */
class Other implements Wire {
  readonly asked: Asked[] = [];
  readonly listening = new Map<string, (value: unknown) => void>();

  send(method: string, params: object, signal?: AbortSignal): Promise<unknown> {
    return new Promise((answer, refuse) => {
      signal?.addEventListener("abort", () => { refuse(Object.assign(new Error("cancelled"), { code: -32800 })); });
      this.asked.push({ method, params, signal, answer, refuse });
    });
  }

  listen(token: string, take: (value: unknown) => void): () => void {
    this.listening.set(token, take);
    return () => this.listening.delete(token);
  }

  stream(asked: Asked, value: unknown): void {
    this.listening.get(asked.params.partialResultToken ?? "")?.(value);
  }
}

function found(phase: SearchResult["phase"], ...paths: string[]): SearchResult {
  return { phase, hits: paths.map((path) => ({ path }) as Hit), count: paths.length, tookMs: 1, notes: [] };
}

let other: Other;
let asking: Channel;

beforeEach(() => {
  vi.useFakeTimers();
  other = new Other();
  asking = channel(other);
});
afterEach(() => { vi.useRealTimers(); });

describe("a channel", () => {
  it("hands on what is streamed under tokens of the request, and listens no more after the reply", async () => {
    const parts: unknown[] = [];
    const steps: unknown[] = [];
    const reply = asking.request("khoj/index/update", { paths: ["/a"] }, {
      partial: (value) => parts.push(value),
      progress: (value) => steps.push(value.message),
    });
    const [asked] = other.asked;
    expect(asked?.params).toMatchObject({ paths: ["/a"] });
    expect(asked?.params.partialResultToken).not.toBe(asked?.params.workDoneToken);
    other.listening.get(asked?.params.workDoneToken ?? "")?.({ kind: "report", message: "half" });
    if (asked) other.stream(asked, 1);
    asked?.answer({ added: 1 });
    expect(await reply).toEqual({ added: 1 });
    expect([parts, steps, other.listening.size]).toEqual([[1], ["half"], 0]);
  });

  it("asks for no tokens that nobody wants, and says nothing of a request that was cancelled", async () => {
    const plain = asking.request("khoj/index/status", {});
    expect(other.asked[0]?.params).toEqual({});
    other.asked[0]?.answer({});
    await plain;
    const parts: unknown[] = [];
    const stop = new AbortController();
    const reply = asking.request("khoj/search", { query: "a" }, { signal: stop.signal, partial: (value) => parts.push(value) });
    const failure = reply.catch((error: unknown) => error);
    stop.abort();
    if (other.asked[1]) other.stream(other.asked[1], 1);
    expect(cancelled(await failure)).toBe(true);
    expect(parts).toEqual([]);
  });

  it("tells failures apart, each in one line", () => {
    const refused = Object.assign(new Error("date:soon is no date\nsecond line"), { code: -32011, data: { kind: "query" } });
    expect([kind(refused), reason(refused), cancelled(refused), cut(refused)]).toEqual(["query", "date:soon is no date", false, false]);
    expect([cut(new Cut()), cut(Object.assign(new Error("disposed"), { code: -32097 })), kind("x"), reason("x")]).toEqual([true, true, "", "x"]);
  });
});

describe("a search", () => {
  const shown: [string, string[], boolean][] = [];
  const failed: string[] = [];
  let search: Search;

  beforeEach(() => {
    shown.length = failed.length = 0;
    search = new Search(asking, {
      delay: 30,
      limit: 20,
      folders: ["/notes"],
      show: (result, whole) => shown.push([result.phase, result.hits.map((hit) => hit.path), whole]),
      fail: (message) => failed.push(message),
    });
  });

  it("asks once for what is typed without a rest, and shows each phase in place of the one before", async () => {
    search.ask("t");
    search.ask("te");
    search.ask("tea");
    await vi.advanceTimersByTimeAsync(30);
    expect(other.asked.map(({ params }) => [params.query, params.limit, params.folders])).toEqual([["tea", 20, ["/notes"]]]);
    const [asked] = other.asked;
    if (asked) other.stream(asked, found("words", "a"));
    if (asked) other.stream(asked, found("fused", "b", "a"));
    asked?.answer({ ...found("fused"), count: 2, notes: ["slow"] });
    await vi.advanceTimersByTimeAsync(0);
    expect(shown).toEqual([["words", ["a"], false], ["fused", ["b", "a"], false], ["fused", ["b", "a"], true]]);
  });

  it("asks at once after a rest, and waits for the end of what is typed fast", async () => {
    search.ask("a");
    await vi.advanceTimersByTimeAsync(0);
    expect(other.asked.map(({ params }) => params.query)).toEqual(["a"]);
    await vi.advanceTimersByTimeAsync(10);
    search.ask("ab");
    await vi.advanceTimersByTimeAsync(29);
    expect(other.asked.length).toBe(1);
    await vi.advanceTimersByTimeAsync(1);
    expect(other.asked.at(-1)?.params.query).toBe("ab");
    await vi.advanceTimersByTimeAsync(100);
    search.ask("abc");
    await vi.advanceTimersByTimeAsync(0);
    expect(other.asked.at(-1)?.params.query).toBe("abc");
  });

  it("cancels what is no longer wanted, and shows nothing of it", async () => {
    search.ask("old");
    await vi.advanceTimersByTimeAsync(30);
    search.ask("new");
    expect(other.asked[0]?.signal?.aborted).toBe(true);
    if (other.asked[0]) other.stream(other.asked[0], found("words", "old"));
    await vi.advanceTimersByTimeAsync(30);
    other.asked[1]?.answer(found("fused", "new"));
    await vi.advanceTimersByTimeAsync(0);
    expect([shown, failed]).toEqual([[["fused", ["new"], true]], []]);
  });

  it("finds nothing for nothing without asking, and does not ask twice for the same", async () => {
    search.ask("a");
    await vi.advanceTimersByTimeAsync(30);
    search.ask("a ");
    await vi.advanceTimersByTimeAsync(30);
    expect(other.asked.length).toBe(1);
    search.ask("  ");
    await vi.advanceTimersByTimeAsync(30);
    expect([other.asked.length, shown]).toEqual([1, [["words", [], true]]]);
  });

  it("says why there is no answer, and asks again when it is told to", async () => {
    search.ask("date:soon");
    await vi.advanceTimersByTimeAsync(30);
    other.asked[0]?.refuse(new Error("date:soon is no date"));
    await vi.advanceTimersByTimeAsync(0);
    expect(failed).toEqual(["date:soon is no date"]);
    search.again();
    await vi.advanceTimersByTimeAsync(30);
    expect(other.asked[1]?.params.query).toBe("date:soon");
  });
});
