// The connection to khojd as the rest of the extension sees it: always there to be asked, made when it is needed, made again when
// it was lost.
import { AGAIN, channel, cut, Cut, reason, type Channel } from "khojd-common/channel";
import type { ChatShowParams, IndexStatus } from "khojd-common/protocol";
import * as vscode from "vscode";

import type { Connection } from "./client";
import { within } from "./hits";
import * as settings from "./settings";

export type State =
  /** Nothing was asked yet. */
  | { kind: "idle" }
  | { kind: "connecting" }
  | { kind: "ready" }
  /** There is no khojd to be had, and why, in one line. */
  | { kind: "problem"; reason: string };

const MOST_TRIES = 5;
const FIRST_REST = 300; // milliseconds before it is tried to connect again; twice as long each time

export class Session implements vscode.Disposable {
  /** khojd. A request makes the connection if need be, and rejects with why there is none. */
  readonly channel: Channel;
  private readonly states = new vscode.EventEmitter<State>();
  private readonly statuses = new vscode.EventEmitter<IndexStatus>();
  private readonly watching: vscode.Disposable;
  /** How the connection is. */
  readonly onState = this.states.event;
  /** How the index is, whenever that changes. */
  readonly onStatus = this.statuses.event;
  private made: Promise<Connection> | undefined;
  private connected: Connection | undefined;
  private now: State = { kind: "idle" };
  private known: IndexStatus | undefined;
  private attempt = 0;
  private tries = 0;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private gone = false;

  /** Resolved with the first status. */
  private readonly first: Promise<IndexStatus>;

  /** `ask` shows the answer to a question that a code action asks. */
  constructor(
    private readonly output: vscode.LogOutputChannel,
    private readonly version: string,
    private readonly ask: (params: ChatShowParams) => Promise<unknown>,
  ) {
    this.first = new Promise((resolve) => {
      const heard = this.onStatus((status) => {
        heard.dispose();
        resolve(status);
      });
    });
    this.channel = channel({
      send: (method, params, signal) => this.send(method, params, signal),
      listen: (token, take) => this.listen(token, take),
    });
    this.watching = vscode.workspace.onDidChangeConfiguration((change) => {
      if (!change.affectsConfiguration(settings.SECTION)) return;
      if (settings.movesDaemon(change)) this.reconnect().catch(() => undefined); // what is wrong is the state
      else this.connected?.configure();
    });
  }

  get state(): State {
    return this.now;
  }

  /** What khojd said last of its index; nothing before that. */
  get status(): IndexStatus | undefined {
    return this.known;
  }

  /** The folders that khojd reads, as far as it is known. */
  get folders(): readonly string[] {
    return this.known?.folders.map((folder) => folder.path) ?? [];
  }

  /** Begin to connect, unless that is done. What is wrong is the state. */
  open(): void {
    this.ready().catch(() => undefined);
  }

  /** Leave, and connect anew: after settings have changed. */
  async reconnect(): Promise<void> {
    const before = this.made;
    this.drop();
    this.tries = 0;
    await before?.then((one) => one.close()).catch(() => undefined);
    await this.ready();
  }

  async close(): Promise<void> {
    this.gone = true;
    const before = this.made;
    this.drop();
    await before?.then((one) => one.close()).catch(() => undefined);
  }

  dispose(): void {
    this.watching.dispose();
    void this.close();
    this.states.dispose();
    this.statuses.dispose();
  }

  private ready(): Promise<Connection> {
    clearTimeout(this.timer);
    this.made ??= this.connect();
    return this.made;
  }

  private async connect(): Promise<Connection> {
    this.attempt += 1;
    const attempt = this.attempt;
    const mine = () => !this.gone && this.attempt === attempt;
    this.become({ kind: "connecting" });
    try {
      const connection = await this.attach(mine);
      if (!mine()) {
        await connection.close();
        throw new Cut();
      }
      this.connected = connection;
      this.become({ kind: "ready" });
      this.begin();
      return connection;
    } catch (failure) {
      if (mine()) this.failed(failure);
      throw failure;
    }
  }

  private async attach(mine: () => boolean): Promise<Connection> {
    const { connect } = await import("./client");
    const listener = {
      lost: () => { if (mine()) this.lost(); },
      status: (status: IndexStatus) => { if (mine()) this.take(status); },
      indexed: async (uri: vscode.Uri) => {
        await this.first;
        return within(uri.fsPath, this.folders);
      },
      ask: (params: ChatShowParams) => this.ask(params),
    };
    try {
      return await connect(this.output, this.version, listener);
    } catch (failure) {
      // A daemon that was leaving because it was idle hangs up before it has said hello: the next one does not.
      if (!cut(failure) || !mine()) throw failure;
      return connect(this.output, this.version, listener);
    }
  }

  private begin(): void {
    this.channel.request("khoj/index/status", {}).then(
      (status) => {
        this.tries = 0;
        this.take(status);
        // Where khojd has no notes yet those that are open may be meant.
        const open = vscode.workspace.workspaceFolders ?? [];
        if (open.length > 0 && (settings.offersFolders() || status.folders.length === 0)) this.connected?.offer(open);
      },
      (failure: unknown) => { this.output.warn(`the state of the index is not known: ${reason(failure)}`); },
    );
  }

  private failed(failure: unknown): void {
    this.made = undefined;
    this.output.error(reason(failure));
    if (!cut(failure)) this.become({ kind: "problem", reason: reason(failure) });
    else this.later();
  }

  private lost(): void {
    if (this.connected === undefined) return; // it was never ready; who waits for it hears that
    const before = this.connected;
    this.output.info("the connection to khojd was lost");
    this.drop();
    setTimeout(() => void before.close(), 0); // when the language client has taken in that its connection is gone
    this.later();
  }

  /** Connect again in a while. */
  private later(): void {
    if (this.gone) return;
    this.tries += 1;
    if (this.tries > MOST_TRIES) {
      this.tries = 0;
      this.become({ kind: "problem", reason: "khojd ends again and again; `khojd doctor` in a terminal says why" });
      return;
    }
    this.become({ kind: "connecting" });
    this.timer = setTimeout(() => { this.open(); }, FIRST_REST * 2 ** (this.tries - 1));
  }

  private drop(): void {
    clearTimeout(this.timer);
    this.attempt += 1;
    this.made = this.connected = undefined;
  }

  private become(state: State): void {
    this.now = state;
    if (!this.gone) this.states.fire(state);
  }

  private take(status: IndexStatus): void {
    this.known = status;
    this.statuses.fire(status);
  }

  private async send(method: string, params: object, signal?: AbortSignal): Promise<unknown> {
    const connection = await this.ready();
    try {
      return await connection.wire.send(method, params, signal);
    } catch (failure) {
      if (!AGAIN.has(method) || !cut(failure) || signal?.aborted === true || this.gone) throw failure;
      return (await this.ready()).wire.send(method, params, signal);
    }
  }

  /** Listen on each connection that is made while it is wanted. */
  private listen(token: string, take: (value: unknown) => void): () => void {
    let end = this.connected?.wire.listen(token, take) ?? (() => undefined);
    let on = this.connected;
    const following = this.onState(() => {
      if (this.connected === undefined || this.connected === on) return;
      end();
      on = this.connected;
      end = on.wire.listen(token, take);
    });
    return () => {
      following.dispose();
      end();
    };
  }
}
