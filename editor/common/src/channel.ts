// Asking khojd: what both front-ends have of a connection, whatever carries it.
import type { Requests } from "./protocol";

export type Method = keyof Requests;
export type Params<M extends Method> = Requests[M]["params"];
export type Result<M extends Method> = Requests[M]["result"];
/** What is streamed: the values of chat, or, of a search, each phase's list. */
export type Part<M extends Method> = Requests[M]["partial"] | Requests[M]["result"];

/** How far a request is that takes long; `percentage` is of 100. */
export interface WorkDone {
  kind: "begin" | "report" | "end";
  title?: string;
  message?: string;
  percentage?: number;
}

export interface Options<M extends Method> {
  /** Takes what is streamed before the result. */
  partial?: (value: Part<M>) => void;
  /** Takes how far it is. */
  progress?: (value: WorkDone) => void;
  /** Cancels the request. */
  signal?: AbortSignal;
}

/** khojd, as a front-end asks it. A request that fails rejects; see `cancelled`, `cut` and `reason`. */
export interface Channel {
  request<M extends Method>(method: M, params: Params<M>, options?: Options<M>): Promise<Result<M>>;
}

/** A connection that speaks JSON-RPC. */
export interface Wire {
  /** Ask, and have `$/cancelRequest` sent when `signal` is aborted. */
  send(method: string, params: object, signal?: AbortSignal): Promise<unknown>;
  /** Hand what comes under a token on; the result ends that. */
  listen(token: string, take: (value: unknown) => void): () => void;
}

let tokens = 0;

/** A channel over a wire. What is streamed stops when the request has ended or was cancelled. */
export function channel(wire: Wire): Channel {
  return {
    async request<M extends Method>(method: M, params: Params<M>, options: Options<M> = {}): Promise<Result<M>> {
      const { partial, progress, signal } = options;
      const ends: (() => void)[] = [];
      const listen = (take: ((value: never) => void) | undefined): string | undefined => {
        if (take === undefined) return undefined;
        tokens += 1;
        const token = `khoj-${tokens}`;
        ends.push(wire.listen(token, (value) => {
          if (signal?.aborted !== true) take(value as never);
        }));
        return token;
      };
      const partialResultToken = listen(partial);
      const workDoneToken = listen(progress);
      const asked = {
        ...params,
        ...(partialResultToken === undefined ? {} : { partialResultToken }),
        ...(workDoneToken === undefined ? {} : { workDoneToken }),
      };
      try {
        // The daemon's schema is checked against these types, so its replies are what they say.
        return (await wire.send(method, asked, signal)) as Result<M>;
      } finally {
        for (const end of ends) end();
      }
    },
  };
}

/** Requests that change nothing more when they come twice: they are asked again when the connection was lost on the way. */
export const AGAIN: ReadonlySet<string> = new Set<Method>([
  "khoj/search", "khoj/similar", "khoj/grep", "khoj/index/status", "khoj/index/files", "khoj/index/update", "khoj/config/get",
  "khoj/daemon/status", "khoj/conversations/list", "khoj/conversations/get", "khoj/conversations/export", "khoj/personas/list",
  "khoj/personas/get", "khoj/models/list", "khoj/models/health",
]);

interface Reply {
  code?: unknown;
  message?: unknown;
  data?: unknown;
}

const CANCELLED = -32800;
/** vscode-jsonrpc's numbers for a connection that ended while it was waited for, or before: no daemon has them. */
const CUT = [-32099, -32098, -32097, -32096, 1, 2];

/** Whether a request failed because it was cancelled. */
export function cancelled(failure: unknown): boolean {
  return told(failure).code === CANCELLED || (failure instanceof Error && failure.name === "AbortError");
}

/** Whether a request failed because the connection ended. */
export function cut(failure: unknown): boolean {
  const { code } = told(failure);
  return failure instanceof Cut || (typeof code === "number" && CUT.includes(code));
}

/** The connection ended before the reply. */
export class Cut extends Error {
  override readonly name = "Cut";
  constructor() {
    super("the connection to khojd was lost");
  }
}

/** The kind of an error of khojd, `query` for example, as docs/protocol.md lists them; empty for others. */
export function kind(failure: unknown): string {
  const { data } = told(failure);
  const value = typeof data === "object" && data !== null && "kind" in data ? data.kind : "";
  return typeof value === "string" ? value : "";
}

/** Why something failed, in one line for people. */
export function reason(failure: unknown): string {
  if (cut(failure)) return "the connection to khojd was lost";
  const { message } = told(failure);
  const text = typeof message === "string" ? message : String(failure);
  return text.split("\n", 1)[0] ?? text;
}

/**
 * A message of khojd's, of a model or of a note, where `[words](address)` would be a link: it no longer is one. VS Code makes such
 * links of what its notifications say, also links that run commands.
 */
export function unlinked(text: string): string {
  return text.replace(/\]\(/g, "]\u200b(");
}

function told(failure: unknown): Reply {
  return typeof failure === "object" && failure !== null ? failure : {};
}
