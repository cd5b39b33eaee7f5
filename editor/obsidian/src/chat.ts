// Asking the notes.
import { ItemView, Keymap, type ViewStateResult, type WorkspaceLeaf } from "obsidian";
import { kind } from "khojd-common/channel";
import { running } from "khojd-common/conversation";
import { lastLine } from "khojd-common/links";
import { Talk, type About, type News } from "khojd-common/talk";

import { follow, target } from "./answerlinks";
import { Composer } from "./composer";
import { Conversations } from "./conversations";
import type { Khoj } from "./khoj";
import { TurnView } from "./turn";

export const CHAT = "khoj-chat";

/** Pixels from the end within which a person is taken to read along. */
const NEAR = 40;

/** A conversation. khojd keeps it, so that any editor, and the command line, can go on with it. */
export class ChatView extends ItemView {
  override navigation = false;
  readonly talk: Talk;
  private readonly turns = new Map<number, TurnView>();
  private readonly list: HTMLElement;
  private readonly composer: Composer;
  private readonly greeting: HTMLElement;
  private readonly name: HTMLElement;
  private wanted = "";

  constructor(
    leaf: WorkspaceLeaf,
    private readonly khoj: Khoj,
  ) {
    super(leaf);
    const { settings } = khoj;
    this.talk = new Talk(khoj.connection, (news) => { this.heard(news); }, () => ({
      persona: settings.persona,
      model: settings.model,
      filters: null,
    }));
    const { contentEl, talk } = this;
    contentEl.addClass("khoj-chat");
    this.name = contentEl.createDiv({ cls: "khoj-chat-name" });
    this.list = contentEl.createDiv({ cls: "khoj-turns", attr: { role: "log", "aria-label": "Conversation" } });
    this.greeting = this.list.createDiv({ cls: "khoj-greeting" });
    this.greeting.createDiv({ text: "Ask your notes. Answers cite the places that they come from." });
    this.greeting.createDiv({ text: "@name or [[name]] gives a note to the model; /help tells of the commands." });
    this.composer = new Composer(contentEl, khoj, talk, {
      send: (question) => { this.ask(question); },
      stop: () => { khoj.attempt(talk.stop()); },
      attach: () => { this.attach(); },
    });
  }

  override getViewType(): string {
    return CHAT;
  }

  override getDisplayText(): string {
    return "Khoj chat";
  }

  override getIcon(): string {
    return "message-circle";
  }

  override getState(): Record<string, unknown> {
    return { conversation: this.wanted === "" ? this.talk.conversation.id : this.wanted };
  }

  override async setState(state: unknown, result: ViewStateResult): Promise<void> {
    await super.setState(state, result);
    const id = typeof state === "object" && state !== null && "conversation" in state ? state.conversation : "";
    if (typeof id !== "string" || id === "" || id === this.talk.conversation.id) return;
    this.wanted = id;
    this.restore();
  }

  // eslint-disable-next-line @typescript-eslint/require-await -- Obsidian's signature
  override async onOpen(): Promise<void> {
    this.addAction("history", "Conversations", () => { this.conversations(); });
    this.addAction("plus", "New conversation", () => { this.begin(); });
    this.registerDomEvent(this.list, "click", (event) => { this.follow(event); });
    this.registerDomEvent(this.list, "auxclick", (event) => { this.follow(event); });
    this.registerDomEvent(this.list, "mouseover", (event) => { this.hovered(event); });
    this.show();
    if (this.khoj.connection.state === "ready") this.composer.learn();
  }

  // eslint-disable-next-line @typescript-eslint/require-await -- Obsidian's signature
  override async onClose(): Promise<void> {
    this.talk.dispose();
    for (const turn of this.turns.values()) turn.unload();
    this.turns.clear();
  }

  /** Ask a question, and have it seen. */
  ask(question: string): void {
    this.khoj.unsaved.flush();
    void this.talk.ask(question);
    this.list.scrollTop = this.list.scrollHeight;
  }

  /** Begin a new conversation. */
  begin(): void {
    this.talk.begin();
    this.composer.field.focus();
  }

  /** Show another conversation. */
  open(id: string): void {
    this.khoj.attempt(this.talk.open(id));
  }

  /** Have the next question be about the selection, or the note at hand. */
  attach(): void {
    const about = this.place();
    if (about === undefined) this.khoj.say("No note is open");
    else this.talk.attach(about);
    this.composer.field.focus();
  }

  /** All conversations, from whichever editor. */
  conversations(): void {
    new Conversations(this.khoj, {
      open: (id) => { this.open(id); },
      renamed: () => { this.talk.refresh().catch(() => undefined); }, // its name comes with the next look
      deleted: (id) => { if (id === this.talk.conversation.id) this.talk.begin(); },
    }).open();
  }

  /** There is a new session: what was said elsewhere meanwhile is shown. */
  connected(): void {
    if (this.wanted !== "") this.restore();
    else this.talk.refresh().catch(() => undefined); // what is shown stays
    this.composer.learn();
  }

  private restore(): void {
    const id = this.wanted;
    if (this.talk.conversation.turns.length > 0) this.wanted = ""; // a person has gone on meanwhile
    else this.talk.open(id).then(() => { this.wanted = ""; }, (failure: unknown) => { if (kind(failure) !== "") this.wanted = ""; });
  }

  private place(): About | undefined {
    const place = this.khoj.notes.atHand();
    if (place === undefined) return undefined;
    const { file, uri, selection } = place;
    if (selection === undefined) return { label: file.basename, place: { textDocument: { uri } } };
    const label = `${file.basename}, lines ${selection.start.line + 1}–${lastLine(selection) + 1}`;
    return { label, place: { textDocument: { uri }, range: selection } };
  }

  private heard(news: News): void {
    if (news.kind === "refused") {
      if (this.composer.field.value === "") this.composer.put(news.question);
      return;
    }
    if (news.kind === "whole") {
      this.show();
      return;
    }
    const turn = running(this.talk.conversation);
    if (news.value.kind === "started") this.showName();
    if (turn !== undefined) this.along(this.turns.get(turn.key)?.update(turn));
  }

  private show(): void {
    const { conversation } = this.talk;
    const keys = new Set(conversation.turns.map((turn) => turn.key));
    for (const [key, view] of this.turns) {
      if (keys.has(key)) continue;
      view.unload();
      this.turns.delete(key);
    }
    for (const [index, turn] of conversation.turns.entries()) {
      const view = this.turns.get(turn.key) ?? this.added(turn.key);
      const there = this.list.children[index + 1] ?? null; // behind the greeting
      if (there !== view.element) this.list.insertBefore(view.element, there);
      this.along(view.update(turn));
    }
    this.greeting.toggle(conversation.turns.length === 0);
    this.showName();
    this.composer.update();
    void this.app.workspace.requestSaveLayout();
  }

  private added(key: number): TurnView {
    const view = new TurnView(this.list, this.khoj, {
      edit: (one) => { this.edit(one); },
      retry: (one) => void this.talk.retry(one),
      fork: (one) => { this.khoj.attempt(this.talk.fork(one)); },
    });
    view.load();
    this.turns.set(key, view);
    return view;
  }

  private showName(): void {
    const { title } = this.talk.conversation;
    this.name.setText(title === "" ? "New conversation" : title);
  }

  private edit(key: number): void {
    const question = this.talk.edit(key);
    if (question !== undefined) this.composer.put(question);
  }

  /** Keep the end in sight for who reads along. */
  private along(shown: Promise<void> | undefined): void {
    const { list } = this;
    const near = list.scrollHeight - list.scrollTop - list.clientHeight < NEAR;
    if (near) void shown?.then(() => { list.scrollTop = list.scrollHeight; });
  }

  private follow(event: MouseEvent): void {
    const link = linked(event);
    if (link === undefined || link.hasClass("khoj-citation") || event.button > 1) return;
    event.preventDefault();
    this.khoj.attempt(follow(this.khoj, target(link), Keymap.isModEvent(event)));
  }

  private hovered(event: MouseEvent): void {
    const link = linked(event);
    if (link === undefined || link.hasClass("is-unresolved")) return; // Obsidian would show a button that makes the note
    const hover = { event, source: CHAT, hoverParent: this.leaf, targetEl: link, linktext: target(link), sourcePath: "" };
    this.app.workspace.trigger("hover-link", hover);
  }
}

function linked(event: MouseEvent): HTMLElement | undefined {
  const { targetNode } = event;
  return (targetNode?.instanceOf(Element) === true ? targetNode.closest<HTMLElement>("a.internal-link") : null) ?? undefined;
}
