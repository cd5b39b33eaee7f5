// All conversations, from whichever editor.
import { Modal, setIcon } from "obsidian";
import { reason } from "khojd-common/channel";
import type { Conversation } from "khojd-common/protocol";

import { ask, write } from "./dialogs";
import type { Khoj } from "./khoj";

const LIMIT = 100;
/** Milliseconds without a key before what was typed is looked for. */
const DELAY = 120;

/** What happens to the conversation that is shown. */
export interface ConversationEvents {
  open(id: string): void;
  renamed(): void;
  deleted(id: string): void;
}

/** The list, from which one is opened, renamed, kept as a note or deleted. */
export class Conversations extends Modal {
  private field!: HTMLInputElement;
  private list!: HTMLElement;
  private line!: HTMLElement;
  private timer: number | undefined;
  private round = 0;

  constructor(
    private readonly khoj: Khoj,
    private readonly events: ConversationEvents,
  ) {
    super(khoj.app);
  }

  override onOpen(): void {
    const { contentEl, modalEl } = this;
    modalEl.addClass("khoj-conversations");
    this.setTitle("Conversations");
    contentEl.empty();
    const label = "Words in the conversations";
    this.field = contentEl.createEl("input", { type: "search", cls: "khoj-wide", attr: { placeholder: label, "aria-label": label } });
    this.field.oninput = () => {
      window.clearTimeout(this.timer);
      this.timer = window.setTimeout(() => void this.update(), DELAY);
    };
    this.list = contentEl.createDiv({ cls: "khoj-conversation-list", attr: { role: "list" } });
    this.line = contentEl.createDiv({ cls: "khoj-search-line", attr: { role: "status" } });
    void this.update();
  }

  override onClose(): void {
    window.clearTimeout(this.timer);
    this.round += 1;
    this.contentEl.empty();
  }

  private async update(): Promise<void> {
    const round = ++this.round;
    try {
      const found = await this.khoj.connection.request("khoj/conversations/list", { query: this.field.value, limit: LIMIT });
      if (round !== this.round) return;
      this.list.empty();
      for (const one of found.conversations) this.row(one);
      this.line.setText(found.problem !== "" ? found.problem : found.conversations.length === 0 ? "There is none" : "");
    } catch (failure) {
      if (round === this.round) this.line.setText(reason(failure));
    }
  }

  private row(conversation: Conversation): void {
    const row = this.list.createDiv({ cls: "khoj-conversation", attr: { role: "listitem" } });
    const open = row.createEl("button", { cls: "khoj-conversation-open" });
    open.createDiv({ cls: "khoj-conversation-title", text: conversation.title });
    const { turns, persona, forkedFrom, updated } = conversation;
    const facts = [new Date(updated * 1000).toLocaleString(), turns === 1 ? "1 question" : `${turns} questions`, persona, forkedFrom === "" ? "" : "forked"];
    open.createDiv({ cls: "khoj-conversation-facts", text: facts.filter((part) => part !== "").join(" · ") });
    open.onclick = () => {
      this.close();
      this.events.open(conversation.id);
    };
    this.action(row, "pencil", "Rename", () => this.rename(conversation));
    this.action(row, "file-down", "Save as a note", () => this.save(conversation));
    this.action(row, "trash-2", "Delete", () => this.remove(conversation));
  }

  private action(row: HTMLElement, icon: string, label: string, run: () => Promise<void>): void {
    const button = row.createEl("button", { cls: "clickable-icon", attr: { "aria-label": label } });
    setIcon(button, icon);
    button.onclick = () => { this.khoj.attempt(run()); };
  }

  private async rename({ id, title }: Conversation): Promise<void> {
    const name = await write(this.app, "Rename the conversation", title, "Rename");
    if (name === undefined) return;
    await this.khoj.connection.request("khoj/conversations/rename", { conversation: id, title: name });
    this.events.renamed();
    await this.update();
  }

  private async save({ id }: Conversation): Promise<void> {
    const { text, title } = await this.khoj.connection.request("khoj/conversations/export", { conversation: id, format: "markdown" });
    this.close();
    await this.khoj.createNote(title, text);
  }

  private async remove({ id, title }: Conversation): Promise<void> {
    const answer = await ask(this.app, `Delete “${title}”? It cannot be brought back.`, ["Delete", "Keep it"], "Delete the conversation");
    if (answer !== "Delete") return;
    await this.khoj.connection.request("khoj/conversations/delete", { conversation: id });
    this.events.deleted(id);
    await this.update();
  }
}
