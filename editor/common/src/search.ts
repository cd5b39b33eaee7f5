// Finding while a person types: what was asked last counts, and nothing else.
import { cancelled, reason, type Channel } from "./channel";
import type { GrepResult, SearchParams, SearchResult } from "./protocol";

export interface TypedOptions<R> {
  /** Milliseconds without a key before what is typed fast is asked about; a key after a rest is asked about at once. */
  delay: number;
  /** Takes what is found by now; `whole` says that no more will come. Nothing typed finds nothing. */
  show(result: R, whole: boolean): void;
  /** Takes why there is no answer, in one line. */
  fail(message: string): void;
}

/** So many delays without a key are a rest. */
const RESTS = 2;

/** Asks about what is typed. What no longer counts is cancelled, and never shown. */
export abstract class Typed<R, O extends TypedOptions<R> = TypedOptions<R>> {
  private timer: ReturnType<typeof setTimeout> | undefined;
  private running: AbortController | undefined;
  private asked: string | undefined;
  private typed = -Infinity;

  constructor(protected readonly channel: Channel, protected readonly options: O) {}

  protected abstract readonly nothing: R;

  /** The whole answer; `part` takes those before it. */
  protected abstract answer(text: string, signal: AbortSignal, part: (result: R) => void): Promise<R>;

  /** Ask about something else. Asking for the same again changes nothing. */
  ask(text: string): void {
    if (text.trim() === this.asked) return;
    this.cancel();
    this.asked = text.trim();
    if (this.asked === "") {
      this.options.show(this.nothing, true);
      return;
    }
    const { delay } = this.options;
    const now = Date.now();
    const rested = now - this.typed > RESTS * delay;
    this.typed = now;
    this.timer = setTimeout(() => void this.run(text), rested ? 0 : delay);
  }

  /** Ask for the same again: after notes have changed, or the connection was lost. */
  again(): void {
    const text = this.asked;
    this.cancel();
    if (text !== undefined) this.ask(text);
  }

  /** Stop asking. Nothing is shown any more. */
  cancel(): void {
    clearTimeout(this.timer);
    this.running?.abort();
    this.timer = this.running = this.asked = undefined;
  }

  private async run(text: string): Promise<void> {
    const mine = new AbortController();
    this.running = mine;
    try {
      const whole = await this.answer(text, mine.signal, (result) => {
        if (this.running === mine) this.options.show(result, false);
      });
      if (this.running === mine) this.options.show(whole, true);
    } catch (failure) {
      if (this.running === mine && !cancelled(failure)) this.options.fail(reason(failure));
    }
  }
}

export interface SearchOptions extends TypedOptions<SearchResult> {
  /** How many hits are wanted. */
  limit: number;
  /** Only notes in these, paths or `file:` URIs; a note itself will do. */
  folders?: readonly string[];
  /** Several hits of one entry. */
  allPassages?: boolean;
}

/** A search. Each answer's phases replace one another. */
export class Search extends Typed<SearchResult, SearchOptions> {
  protected readonly nothing: SearchResult = { phase: "words", hits: [], count: 0, tookMs: 0, notes: [] };

  protected async answer(query: string, signal: AbortSignal, part: (result: SearchResult) => void): Promise<SearchResult> {
    const { limit, folders = [], allPassages = false } = this.options;
    const params: SearchParams = { query, limit, allPassages, folders: [...folders] };
    let last = this.nothing;
    const end = await this.channel.request("khoj/search", params, {
      signal,
      partial: (value) => {
        last = value;
        part(value);
      },
    });
    // The reply repeats no hits that were streamed.
    return { ...end, hits: end.hits.length > 0 ? end.hits : last.hits };
  }
}

export interface GrepOptions extends TypedOptions<GrepResult> {
  limit: number;
  folders?: readonly string[];
}

/** Lines that match a regular expression. One without capitals ignores case. */
export class Grep extends Typed<GrepResult, GrepOptions> {
  protected readonly nothing: GrepResult = { matches: [], files: 0, truncated: false, notes: [] };

  protected answer(pattern: string, signal: AbortSignal): Promise<GrepResult> {
    const { limit, folders = [] } = this.options;
    const ignoreCase = pattern === pattern.toLowerCase();
    return this.channel.request("khoj/grep", { pattern, limit, ignoreCase, folders: [...folders] }, { signal });
  }
}
