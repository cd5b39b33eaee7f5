// A search while it is typed: what was asked last counts, and nothing else.
import { cancelled, reason, type Channel } from "./channel";
import type { SearchParams, SearchResult } from "./protocol";

export interface SearchOptions {
  /** Milliseconds without a key before what was typed is searched for. */
  delay: number;
  /** How many hits are wanted. */
  limit: number;
  /** Only notes in these, paths or `file:` URIs. */
  folders?: readonly string[];
  /** More filters that always hold, in the query language. */
  filters?: string;
  /** Takes what is found by now; `whole` says that no more will come. An empty query finds nothing. */
  show(result: SearchResult, whole: boolean): void;
  /** Takes why there is no answer, in one line. */
  fail(message: string): void;
}

const NOTHING: SearchResult = { phase: "words", hits: [], count: 0, tookMs: 0, notes: [] };

/** Asks as a person types. Each answer's phases replace one another; those of a query that was replaced are not shown. */
export class Search {
  private timer: ReturnType<typeof setTimeout> | undefined;
  private running: AbortController | undefined;
  private asked: string | undefined;

  constructor(private readonly channel: Channel, private readonly options: SearchOptions) {}

  /** Search for something else, after the delay. Asking for the same again changes nothing. */
  ask(query: string): void {
    if (query.trim() === this.asked) return;
    this.cancel();
    this.asked = query.trim();
    if (this.asked === "") {
      this.options.show(NOTHING, true);
      return;
    }
    this.timer = setTimeout(() => void this.run(query), this.options.delay);
  }

  /** Search for the same again: after notes have changed, or the connection was lost. */
  again(): void {
    const query = this.asked;
    this.cancel();
    if (query !== undefined) this.ask(query);
  }

  /** Stop asking. Nothing is shown any more. */
  cancel(): void {
    clearTimeout(this.timer);
    this.running?.abort();
    this.timer = this.running = this.asked = undefined;
  }

  private async run(query: string): Promise<void> {
    const mine = new AbortController();
    this.running = mine;
    let last = NOTHING;
    try {
      const end = await this.channel.request("khoj/search", this.params(query), {
        signal: mine.signal,
        partial: (value) => {
          if (this.running !== mine) return;
          last = value;
          this.options.show(value, false);
        },
      });
      if (this.running !== mine) return;
      // The reply repeats no hits that were streamed.
      this.options.show({ ...end, hits: end.hits.length > 0 ? end.hits : last.hits }, true);
    } catch (failure) {
      if (this.running === mine && !cancelled(failure)) this.options.fail(reason(failure));
    }
  }

  private params(query: string): SearchParams {
    const { limit, folders = [], filters = "" } = this.options;
    return { query: filters === "" ? query : `${query} ${filters}`, limit, ...(folders.length > 0 ? { folders: [...folders] } : {}) };
  }
}
