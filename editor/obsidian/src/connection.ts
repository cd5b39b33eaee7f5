// The session with khojd: attached when it is first needed, and attached again when it is lost.
import { AGAIN, channel, cut, Cut, reason, type Channel, type Options, type Params, type Result, type Method } from "khojd-common/channel";
import { agreed, attach, type Place, type Stream } from "khojd-common/daemon";
import { PROTOCOL, type ClientHello, type ServerHello } from "khojd-common/protocol";
import {
  CancellationTokenSource,
  createMessageConnection,
  ErrorCodes,
  ResponseError,
  StreamMessageReader,
  StreamMessageWriter,
  type MessageConnection,
} from "vscode-jsonrpc/node";

/** What khojd asks of us and tells us, by method. What is not here is refused, or let go. */
export interface Host {
  readonly requests: Readonly<Record<string, (params: never) => unknown>>;
  readonly notifications: Readonly<Record<string, (params: never) => void>>;
}

/** How we attach, and who we are. */
export interface Manner {
  place(): Place;
  /** Name and version for people. */
  client: string;
}

/** `off`: nobody asked yet, or it was left, or it cannot be had, for the `problem`. */
export type State = "connecting" | "off" | "ready" | "waiting";

const MOST_TRIES = 5;
const FIRST_WAIT = 400;
const PATIENCE = 60_000;

const CAPABILITIES = {
  general: { positionEncodings: ["utf-16"] },
  workspace: { applyEdit: true, workspaceEdit: { documentChanges: true, resourceOperations: ["create"] } },
  textDocument: { synchronization: { didSave: true } },
  window: { workDoneProgress: true, showDocument: { support: true }, showMessage: { messageActionItem: {} } },
};

/** One connection for all of the plugin. */
export class Connection implements Channel {
  state: State = "off";
  /** Why there is no connection, in one line; or empty. */
  problem = "";
  private wire: MessageConnection | undefined;
  private stream: Stream | undefined;
  private opening: Promise<MessageConnection> | undefined;
  private timer: number | undefined;
  private tries = 0;
  private epoch = 0;
  /** Gives up what is started on the way to a connection. */
  private starting: AbortController | undefined;
  private gone = false;
  private readonly tokens = new Map<number | string, (value: unknown) => void>();
  private readonly asking: Channel;

  constructor(
    private readonly manner: Manner,
    private readonly host: Host,
    /** Called when the state has changed, also when a new session begins. */
    private readonly changed: (state: State) => void,
  ) {
    this.asking = channel({
      send: (method, params, signal) => this.send(method, params, signal),
      listen: (token, take) => {
        this.tokens.set(token, take);
        return () => this.tokens.delete(token);
      },
    });
  }

  request<M extends Method>(method: M, params: Params<M>, options?: Options<M>): Promise<Result<M>> {
    return this.asking.request(method, params, options);
  }

  /** Tell khojd something, if there is a connection. */
  notify(method: string, params: object): void {
    if (this.state === "ready") void this.wire?.sendNotification(method, params).catch(() => undefined);
  }

  /** Attach, unless that is done or under way. Rejects with one line for people. */
  async open(): Promise<void> {
    await this.ready();
  }

  /** Leave khojd, which stays for others; `forGood` when nothing may attach again. */
  close(forGood = false): void {
    const { wire, stream } = this;
    this.gone ||= forGood;
    this.epoch += 1;
    this.starting?.abort();
    window.clearTimeout(this.timer);
    this.wire = this.stream = this.opening = undefined;
    this.tries = 0;
    this.problem = "";
    if (wire !== undefined) {
      void wire.sendNotification("exit").catch(() => undefined).finally(() => {
        wire.end();
        wire.dispose();
        stream?.close();
      });
    }
    this.turn("off");
  }

  private ready(): Promise<MessageConnection> {
    if (this.gone) return Promise.reject(new Cut());
    if (this.opening === undefined) {
      window.clearTimeout(this.timer);
      this.opening = this.connect(this.epoch);
      // Whoever waits hears of it; nobody has to.
      this.opening.catch(() => undefined);
    }
    return this.opening;
  }

  private async connect(epoch: number): Promise<MessageConnection> {
    this.turn("connecting");
    try {
      const place = this.manner.place();
      this.starting = new AbortController();
      const stream = await attach(place, PATIENCE, this.starting.signal);
      if (epoch !== this.epoch) {
        stream.close();
        throw new Cut();
      }
      const wire = this.listen(stream);
      this.wire = wire;
      this.stream = stream;
      const hello = await within(PATIENCE, wire.sendRequest<Reply>("initialize", this.introduction()), () => {
        wire.dispose();
        stream.close();
      });
      agreed(hello.capabilities.experimental?.khoj, place.command);
      await wire.sendNotification("initialized", {});
      this.tries = 0;
      this.problem = "";
      this.turn("ready");
      return wire;
    } catch (failure) {
      if (epoch !== this.epoch) throw new Cut(); // it was left meanwhile
      this.lost(undefined, failure);
      throw failure;
    }
  }

  private introduction(): object {
    const khoj: ClientHello = { protocol: PROTOCOL, client: this.manner.client, features: { diagnostics: false } };
    return {
      processId: process.pid,
      clientInfo: { name: "Obsidian" },
      rootUri: null,
      capabilities: CAPABILITIES,
      initializationOptions: { khoj },
    };
  }

  private listen(stream: Stream): MessageConnection {
    const wire = createMessageConnection(new StreamMessageReader(stream.reader), new StreamMessageWriter(stream.writer));
    wire.onRequest((method, params) => {
      const answer = this.host.requests[method];
      if (answer === undefined) return new ResponseError(ErrorCodes.MethodNotFound, `${method} is not known to this plugin`);
      return answer(params as never);
    });
    wire.onNotification((method, params) => this.host.notifications[method]?.(params as never));
    wire.onUnhandledProgress((progress) => {
      const take = this.tokens.get(progress.token);
      // A token that nobody waits for is that of work that khojd shows by itself.
      if (take === undefined) this.host.notifications["$/progress"]?.(progress as never);
      else take(progress.value);
    });
    wire.onError(() => undefined); // it is followed by the end
    wire.onClose(() => {
      if (this.wire === wire) this.lost(wire, new Cut());
    });
    wire.listen();
    return wire;
  }

  /** The connection has ended, or there is none: try again where that is of use. */
  private lost(wire: MessageConnection | undefined, failure: unknown): void {
    if (wire === undefined && this.opening === undefined) return; // its end was heard before
    const ended = failure instanceof Cut || this.state === "ready";
    this.wire?.dispose();
    this.stream?.close();
    this.wire = this.stream = this.opening = undefined;
    this.epoch += 1;
    this.tries += 1;
    if (ended && this.tries <= MOST_TRIES) {
      this.turn("waiting");
      this.timer = window.setTimeout(() => void this.ready().catch(() => undefined), FIRST_WAIT * 2 ** (this.tries - 1));
      return;
    }
    this.tries = 0;
    this.problem = ended ? "khojd ends again and again; `khojd doctor` in a terminal says why" : reason(failure);
    this.turn("off");
  }

  private turn(state: State): void {
    this.state = state;
    this.changed(state);
  }

  private async send(method: string, params: object, signal?: AbortSignal): Promise<unknown> {
    const wire = await this.ready();
    try {
      return await this.sent(wire, method, params, signal);
    } catch (failure) {
      if (!AGAIN.has(method) || !cut(failure) || signal?.aborted === true || this.gone) throw failure;
      return this.sent(await this.ready(), method, params, signal);
    }
  }

  private async sent(wire: MessageConnection, method: string, params: object, signal?: AbortSignal): Promise<unknown> {
    const source = new CancellationTokenSource();
    const abort = () => { source.cancel(); };
    if (signal?.aborted === true) abort();
    signal?.addEventListener("abort", abort, { once: true });
    try {
      return await wire.sendRequest<unknown>(method, params, source.token);
    } finally {
      signal?.removeEventListener("abort", abort);
      source.dispose();
    }
  }
}

interface Reply {
  capabilities: { experimental?: { khoj?: ServerHello } };
}

async function within<T>(patience: number, promise: Promise<T>, late: () => void): Promise<T> {
  const timer = window.setTimeout(late, patience);
  try {
    return await promise;
  } finally {
    window.clearTimeout(timer);
  }
}
