// Where a question is written, and what is chosen for it.
import { setIcon } from "obsidian";
import { choices } from "khojd-common/choices";
import { completions, UNKNOWN } from "khojd-common/filters";
import { mentions, type Note } from "khojd-common/mentions";
import type { Talk } from "khojd-common/talk";

import { CompletionList } from "./completionlist";
import type { Khoj } from "./khoj";

/** What the buttons around the question do. */
export interface ComposerActions {
  send(question: string): void;
  stop(): void;
  attach(): void;
}

/** The lower part of a chat. */
export class Composer {
  readonly field: HTMLTextAreaElement;
  private readonly about: HTMLElement;
  private readonly persona: HTMLSelectElement;
  private readonly model: HTMLSelectElement;
  private readonly filters: HTMLInputElement;
  private readonly button: HTMLButtonElement;
  private names: Note[] = [];
  private values = UNKNOWN;
  private asked = false;

  constructor(
    parent: HTMLElement,
    private readonly khoj: Khoj,
    private readonly talk: Talk,
    private readonly can: ComposerActions,
  ) {
    const element = parent.createDiv({ cls: "khoj-composer" });
    this.about = element.createDiv({ cls: "khoj-about" });
    const list = element.createDiv();
    const hints = { rows: "3", "aria-label": "Question", placeholder: "Ask your notes …" };
    this.field = element.createEl("textarea", { cls: "khoj-question-field", attr: hints });
    const complete = new CompletionList(this.field, list, (text, cursor) => mentions(text, cursor, this.names), () => undefined);
    this.field.oninput = () => { complete.update(); };
    this.field.onblur = () => { complete.close(); };
    this.field.onfocus = () => {
      this.learn();
      khoj.names.get().then((found) => { this.names = found; }, () => undefined);
    };
    this.field.onkeydown = (event) => { this.key(event, complete); };
    const bar = element.createDiv({ cls: "khoj-composer-bar" });
    this.persona = bar.createEl("select", { cls: "dropdown", attr: { "aria-label": "Persona" } });
    this.persona.onchange = () => { talk.choose({ persona: this.persona.value }); };
    this.model = bar.createEl("select", { cls: "dropdown", attr: { "aria-label": "Model" } });
    this.model.onchange = () => { talk.choose({ model: this.model.value }); };
    // All that the servers have is asked of them before the list is open: then it does not change any more.
    this.model.onpointerenter = this.model.onfocus = () => { this.choose(true); };
    const attach = bar.createEl("button", { cls: "clickable-icon", attr: { "aria-label": "Ask about the selection, or the note at hand" } });
    setIcon(attach, "paperclip");
    attach.onclick = () => { can.attach(); };
    this.button = bar.createEl("button", { cls: "khoj-send" });
    this.button.onclick = () => { this.press(); };
    const narrow = element.createDiv({ cls: "khoj-narrow" });
    const filterList = narrow.createDiv();
    this.filters = narrow.createEl("input", {
      type: "text",
      cls: "khoj-filter-field",
      attr: { "aria-label": "Filters", placeholder: "Filters: file:journal tag:work", spellcheck: "false" },
    });
    const narrowed = () => { talk.choose({ filters: this.filters.value.trim() }); };
    const filter = (text: string, cursor: number) => completions(text, cursor, this.values);
    const completeFilter = new CompletionList(this.filters, filterList, filter, narrowed);
    this.filters.oninput = () => { completeFilter.update(); };
    this.filters.onblur = () => { completeFilter.close(); };
    this.filters.onfocus = () => { khoj.values.get().then((found) => { this.values = found; }, () => undefined); };
    this.filters.onchange = narrowed;
    this.filters.onkeydown = (event) => {
      if (event.isComposing || !completeFilter.open) return;
      if (event.key === "ArrowDown") completeFilter.move(1);
      else if (event.key === "ArrowUp") completeFilter.move(-1);
      else if (event.key === "Tab") completeFilter.take();
      else if (event.key === "Escape") completeFilter.close();
      else return;
      event.preventDefault();
    };
    this.options(this.persona, [["", "Persona"]]);
    this.options(this.model, [["", "Model"]]);
    this.update();
  }

  /** Put a question into the field, to be edited. */
  put(question: string): void {
    this.field.value = question;
    this.field.focus();
  }

  /** Show what is chosen, and whether an answer is being written. */
  update(): void {
    const { talk } = this;
    const { choice, conversation } = talk;
    select(this.persona, choice.persona === "" ? conversation.persona : choice.persona);
    select(this.model, choice.model);
    if (!this.filters.matches(":focus")) this.filters.value = choice.filters ?? conversation.filters;
    this.button.setText(talk.busy ? "Stop" : talk.replaces === "" ? "Ask" : "Ask again");
    this.button.toggleClass("mod-cta", !talk.busy);
    this.about.empty();
    for (const [index, about] of talk.about.entries()) this.chip(`About ${about.label}`, () => { talk.detach(index); });
    if (talk.replaces !== "") this.chip("Replaces a question", () => { talk.keep(); });
  }

  private chip(text: string, remove: () => void): void {
    const chip = this.about.createSpan({ cls: "khoj-chip", text });
    const button = chip.createEl("button", { cls: "clickable-icon", attr: { "aria-label": `${text}: no longer` } });
    setIcon(button, "x");
    button.onclick = remove;
  }

  private press(): void {
    if (this.talk.busy) {
      this.can.stop();
      return;
    }
    const question = this.field.value.trim();
    if (question === "") return;
    if (this.filters.value.trim() !== (this.talk.choice.filters ?? this.talk.conversation.filters)) {
      this.talk.choose({ filters: this.filters.value.trim() });
    }
    this.field.value = "";
    this.can.send(question);
  }

  private key(event: KeyboardEvent, list: CompletionList): void {
    if (event.isComposing) return;
    if (list.open) {
      if (event.key === "ArrowDown") list.move(1);
      else if (event.key === "ArrowUp") list.move(-1);
      else if (event.key === "Tab" || event.key === "Enter") list.take();
      else if (event.key === "Escape") list.close();
      else return;
      event.preventDefault();
      return;
    }
    if (event.key !== "Enter" || event.shiftKey || this.talk.busy) return;
    event.preventDefault();
    this.press();
  }

  /** Ask who can be chosen, once. What is not answered stays empty. */
  learn(): void {
    if (!this.asked) this.choose(false);
  }

  private choose(ask: boolean): void {
    this.asked = true;
    choices(this.khoj.connection, ask).then(
      ({ personas, persona, models }) => {
        this.options(this.persona, [["", `Persona: ${persona}`], ...personas.map((one): [string, string] => [one.name, one.name])]);
        this.options(this.model, [["", `Model: ${models[0] ?? "none"}`], ...models.map((one): [string, string] => [one, one])]);
        this.update();
      },
      () => { this.asked = false; },
    );
  }

  private options(choice: HTMLSelectElement, all: readonly [string, string][]): void {
    choice.empty();
    for (const [value, text] of all) choice.createEl("option", { value, text });
  }
}

/** Select a value, which is added where it was not known. */
function select(choice: HTMLSelectElement, value: string): void {
  if (!Array.from(choice.options).some((option) => option.value === value)) choice.createEl("option", { value, text: value });
  choice.value = value;
}
