// Chat in the side bar: the conversation lives here, the view only shows it.
import { sources } from "khojd-common/answer";
import { kind } from "khojd-common/channel";
import { choices } from "khojd-common/choices";
import type { Turn } from "khojd-common/conversation";
import { completions, needsKnown, UNKNOWN, type FilterCompletions } from "khojd-common/filters";
import { mentions, notes } from "khojd-common/mentions";
import { Remembered } from "khojd-common/remembered";
import { type About, type News, Talk } from "khojd-common/talk";
import * as vscode from "vscode";

import type { Host } from "../host";
import * as settings from "../settings";
import { atHand } from "./attaching";
import * as conversations from "./conversations";
import { toCitation, toNote, toSource } from "./jump";
import type { ToHost, ToView } from "./messages";
import { page } from "./page";
import { Proposals } from "./proposals";

export const VIEW = "khoj.chat";
const KEPT = "khoj.chat.conversation"; // of this workspace, to be there again after a reload
const SAFE = /^(?:https?:\/\/|mailto:)/i;

export class Chat implements vscode.WebviewViewProvider, vscode.Disposable {
  readonly talk: Talk;
  readonly proposals: Proposals;
  private view: vscode.WebviewView | undefined;
  private readonly notes = new Remembered(() => notes(this.host.channel)); // that can be named in a question
  private query = "";
  private waiting: ToView[] = []; // for a view that is not there yet
  private ready = false;
  private restored = false; // what was shown before a reload
  private readonly parts: vscode.Disposable;

  constructor(private readonly host: Host, private readonly context: vscode.ExtensionContext) {
    this.talk = new Talk(host.channel, (news) => { this.hear(news); }, () => ({ ...settings.chat(), filters: null }));
    this.proposals = new Proposals(host);
    this.parts = vscode.Disposable.from(
      this.proposals,
      vscode.window.registerWebviewViewProvider(VIEW, this),
      vscode.window.onDidChangeActiveTextEditor(() => { this.offer(); }),
      vscode.window.onDidChangeTextEditorSelection(() => { this.offer(); }),
      vscode.window.onDidChangeWindowState((state) => { if (state.focused) this.refresh(); }),
      host.session.onState(() => { this.connection(); }),
      host.session.onStatus(() => { this.talk.indexed(this.shown); }),
    );
  }

  dispose(): void {
    this.talk.dispose();
    this.parts.dispose();
  }

  resolveWebviewView(view: vscode.WebviewView): void {
    const { extensionUri } = this.context;
    const root = vscode.Uri.joinPath(extensionUri, "dist");
    const uri = (name: string) => view.webview.asWebviewUri(vscode.Uri.joinPath(root, name)).toString();
    this.view = view;
    this.ready = false;
    view.webview.options = { enableScripts: true, enableCommandUris: false, enableForms: false, localResourceRoots: [root] };
    view.webview.onDidReceiveMessage((message: ToHost) => { void this.host.run(() => this.take(message)); });
    view.onDidChangeVisibility(() => {
      this.ready = false; // a hidden page is gone; the next one says when it is ready
      if (view.visible) this.refresh();
    });
    view.onDidDispose(() => {
      if (this.view === view) this.view = undefined;
      this.ready = false;
    });
    view.webview.html = page(uri("chat-view.js"), uri("chat-view.css"), view.webview.cspSource);
  }

  /** Whether the page of the view is there, and has said so. */
  get shown(): boolean {
    return this.ready && this.view?.visible === true;
  }

  /** Show the chat, with the keyboard in it. */
  async open(history = false): Promise<void> {
    await vscode.commands.executeCommand(`${VIEW}.focus`);
    this.post({ type: "focus", history });
  }

  /** Begin a new conversation. */
  async begin(): Promise<void> {
    this.talk.begin();
    await this.open();
  }

  /** Show a conversation. */
  async show(id: string): Promise<void> {
    await this.talk.open(id);
    await this.open();
  }

  /** Have the next question be about the selection, or the note. */
  async about(whole = false): Promise<void> {
    const about = atHand(whole);
    if (about === undefined) throw new Error("open a note first");
    await this.open();
    this.talk.attach(about);
  }

  /** Do what was pressed in the view. */
  async take(message: ToHost): Promise<void> {
    const press = this.presses[message.type] as ((message: ToHost) => unknown) | undefined;
    await press?.(message);
  }

  private readonly presses: { [T in ToHost["type"]]: (message: Extract<ToHost, { type: T }>) => unknown } = {
    ready: () => this.begun(),
    ask: ({ question }) => this.talk.ask(question),
    stop: () => this.talk.stop(),
    retry: ({ key }) => this.talk.retry(key),
    edit: ({ key }) => { this.put(this.talk.edit(key)); },
    fork: ({ key }) => this.talk.fork(key),
    keep: () => { this.talk.keep(); },
    choose: ({ choice }) => { this.talk.choose(choice); },
    choices: async () => { this.post({ type: "choices", choices: await choices(this.host.channel, true) }); },
    attach: () => { this.attach(atHand()); },
    detach: ({ index }) => { this.talk.detach(index); },
    complete: async ({ id, what, text, cursor }) => {
      this.post({ type: "completions", id, found: await this.complete(what, text, cursor) });
    },
    reconnect: () => this.host.session.reconnect(),

    copy: async ({ text }) => {
      await vscode.env.clipboard.writeText(text);
      void vscode.window.setStatusBarMessage("Khoj: copied", 3000);
    },
    link: async ({ href }) => {
      if (SAFE.test(href)) await vscode.env.openExternal(vscode.Uri.parse(href, true));
    },
    note: ({ target }) => toNote(this.host.channel, target),
    cite: ({ key, index }) => this.of(key, (turn) => toCitation(this.host.channel, this.talk.conversation.id, turn, index)),
    source: ({ key, number }) => this.of(key, async (turn) => {
      const source = sources(turn.citations, turn.references).find((one) => one.number === number);
      if (source !== undefined) await toSource(this.host.channel, this.talk.conversation.id, turn, source);
    }),
    proposal: ({ key, id }) => this.of(key, (turn) => this.proposals.show(turn.id, id)),

    history: async ({ query }) => {
      this.query = query;
      await this.list();
    },
    open: ({ id }) => this.talk.open(id),
    rename: async ({ id }) => {
      await conversations.rename(this.host, id);
      await this.list();
      this.refresh();
    },
    delete: async ({ id }) => {
      if (!(await conversations.remove(this.host, id))) return;
      if (this.talk.conversation.id === id) this.talk.begin();
      await this.list();
    },
    export: ({ id }) => conversations.write(this.host, id),
  };

  private async begun(): Promise<void> {
    this.ready = true;
    this.whole();
    this.offer();
    this.connection();
    for (const message of this.waiting.splice(0)) this.post(message);
    choices(this.host.channel, false).then(
      (found) => { this.post({ type: "choices", choices: found }); },
      () => undefined, // there is no khojd, which is said above
    );
    await this.restore();
  }

  /** Show what was shown before a reload, once khojd is there to be asked. */
  private async restore(): Promise<void> {
    if (this.restored) return;
    const kept = this.context.workspaceState.get<string>(KEPT, "");
    const { id, turns } = this.talk.conversation;
    try {
      if (kept !== "" && id === "" && turns.length === 0) await this.talk.open(kept);
    } catch (failure) {
      if (kind(failure) === "") return; // no answer of khojd's; with one the conversation is deleted
    }
    this.restored = true;
    void this.context.workspaceState.update(KEPT, this.talk.conversation.id);
  }

  private hear(news: News): void {
    if (news.kind === "value") this.post({ type: "value", value: news.value });
    else if (news.kind === "refused") this.put(news.question);
    else this.whole();
  }

  private whole(): void {
    const { conversation, busy, choice, about, replaces } = this.talk;
    if (this.restored) void this.context.workspaceState.update(KEPT, conversation.id);
    if (this.ready) this.post({ type: "shown", shown: { conversation, busy, choice, about: about.map((one) => one.label), replaces } });
  }

  private post(message: ToView): void {
    if (this.ready) void this.view?.webview.postMessage(message);
    else if (message.type === "focus" || message.type === "input") {
      this.waiting = [...this.waiting.filter((one) => one.type !== message.type), message];
    }
  }

  private put(question: string | undefined): void {
    if (question !== undefined) this.post({ type: "input", text: question });
  }

  private attach(about: About | undefined): void {
    if (about !== undefined) this.talk.attach(about);
  }

  private offer(): void {
    this.post({ type: "offer", label: atHand()?.label ?? "" });
  }

  private connection(): void {
    const { state } = this.host.session;
    this.post({ type: "problem", problem: state.kind === "problem" ? state.reason : "" });
    if (state.kind !== "ready") return;
    if (this.ready) void this.restore();
    this.refresh();
  }

  /** Show what was said in another editor meanwhile. */
  private refresh(): void {
    this.talk.refresh().catch(() => undefined); // what is shown stays
  }

  private async list(): Promise<void> {
    this.post({ type: "history", ...(await conversations.list(this.host, this.query)) });
  }

  private async of(key: number, work: (turn: Turn) => Promise<void>): Promise<void> {
    const turn = this.talk.conversation.turns.find((one) => one.key === key);
    if (turn !== undefined) await work(turn);
  }

  /** What can be written at the cursor of a field of the view. */
  async complete(what: "question" | "filters", text: string, cursor: number): Promise<FilterCompletions> {
    // Nothing of khojd is needed for commands, and nothing at all for plain words.
    if (what === "question" && !/[@[]/.test(text)) return mentions(text, cursor, []);
    try {
      if (what === "question") return mentions(text, cursor, await this.notes.get());
      return completions(text, cursor, needsKnown(text) ? await this.host.values.get() : UNKNOWN);
    } catch {
      return { start: cursor, end: cursor, items: [] };
    }
  }
}
