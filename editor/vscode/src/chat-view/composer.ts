// Where a question is written: the field, what it is about, and who answers.
import type { Choices } from "khojd-common/choices";
import { known } from "khojd-common/conversation";

import type { Shown, ToHost } from "../chat/messages";
import { Completion } from "./completion";
import { attribute, button, element, sign } from "./dom";

export class Composer {
  readonly root: HTMLElement;
  readonly question: Completion;
  readonly filters: Completion;
  private readonly field = element("textarea", {
    rows: 2, "aria-label": "Question", placeholder: "Ask your notes. @ names a note, / gives a command", spellcheck: "true",
  });
  private readonly chips = element("ul", { class: "chips", "aria-label": "The question is about" });
  private readonly replacing = element("div", { class: "replacing", role: "status" });
  private readonly persona = element("select", { title: "Persona", "aria-label": "Persona" });
  private readonly model = element("select", { title: "Model", "aria-label": "Model" });
  private readonly filter = element("input", { type: "text", title: "Only notes that these filters fit", "aria-label": "Filters", placeholder: "Filters" });
  private readonly attach: HTMLButtonElement;
  private readonly send: HTMLButtonElement;
  private readonly stop: HTMLButtonElement;
  private shown: Shown | undefined;
  private choices: Choices = { personas: [], persona: "", models: [] };
  /** How far back in the questions of this conversation the field is; 0 for what is being written. */
  private back = 0;
  private draft = "";

  constructor(private readonly post: (message: ToHost) => void, private readonly keep: (draft: string) => void) {
    this.question = new Completion(this.field, (id, text, cursor) => { post({ type: "complete", id, text, cursor, what: "question" }); });
    this.filters = new Completion(this.filter, (id, text, cursor) => { post({ type: "complete", id, text, cursor, what: "filters" }); });
    this.attach = sign("attach", "Attach", () => { post({ type: "attach" }); }, { class: "sign attach", disabled: true });
    this.send = sign("send", "Ask (Enter)", () => { this.ask(); });
    this.stop = sign("stop", "Stop the answer (Escape)", () => { post({ type: "stop" }); });
    this.field.addEventListener("keydown", (event) => { this.key(event); });
    this.field.addEventListener("input", () => { this.typed(); });
    this.field.addEventListener("change", () => { this.typed(); });
    this.filter.addEventListener("keydown", (event) => { this.filterKey(event); });
    this.filter.addEventListener("change", () => { this.choose(); });
    for (const select of [this.persona, this.model]) select.addEventListener("change", () => { this.choose(); });
    // Before the list is open: then it does not change any more.
    for (const event of ["pointerenter", "focus"]) this.model.addEventListener(event, () => { post({ type: "choices" }); });
    this.root = element("div", { class: "composer" },
      this.replacing,
      this.chips,
      element("div", { class: "field" }, this.question.list, this.field, element("div", { class: "buttons" }, this.attach, this.send, this.stop)),
      element("div", { class: "choices" }, this.persona, this.model, element("div", { class: "filter" }, this.filters.list, this.filter)));
    this.fill();
  }

  show(shown: Shown): void {
    const before = this.shown;
    this.shown = shown;
    if (before?.conversation.id !== shown.conversation.id) this.back = 0;
    this.send.hidden = shown.busy;
    this.stop.hidden = !shown.busy;
    this.chips.hidden = shown.about.length === 0;
    this.chips.replaceChildren(...shown.about.map((label, index) =>
      element("li", {}, label, sign("close", `Do not ask about ${label}`, () => { this.post({ type: "detach", index }); this.focus(); }))));
    this.replacing.hidden = shown.replaces === "";
    this.replacing.replaceChildren("Replaces a question and what came after it ", button("Keep them", () => { this.post({ type: "keep" }); this.focus(); }));
    if (document.activeElement !== this.filter) this.filter.value = shown.choice.filters ?? shown.conversation.filters;
    this.fill();
  }

  offer(label: string): void {
    const words = label === "" ? "No note to attach" : `Ask about ${label}`;
    this.attach.title = words;
    attribute(this.attach, "aria-label", words);
    this.attach.disabled = label === "";
  }

  choose(): void {
    const filters = this.filter.value.trim();
    const own = this.shown?.conversation.filters ?? "";
    this.post({
      type: "choose",
      choice: { persona: this.persona.value, model: this.model.value, filters: filters === own ? null : filters },
    });
  }

  offers(choices: Choices): void {
    this.choices = choices;
    this.fill();
  }

  /** Put a question into the field. */
  put(text: string): void {
    this.field.value = text;
    this.back = 0;
    this.typed();
  }

  focus(): void {
    this.field.focus();
  }

  private fill(): void {
    const { personas, persona, models } = this.choices;
    const chosen = this.shown?.choice;
    const usual = this.shown?.conversation.persona ?? persona;
    options(this.persona, chosen?.persona ?? "", usual === "" || usual === "default" ? "Persona" : usual, personas.map((one) => one.name));
    for (const [index, one] of personas.entries()) attribute(this.persona.options[index + 1] ?? this.persona, "title", one.description);
    options(this.model, chosen?.model ?? "", "Model", models);
  }

  private ask(): void {
    const question = this.field.value.trim();
    if (question === "" || this.shown?.busy === true) return;
    if (document.activeElement === this.filter) this.choose();
    this.put("");
    this.draft = "";
    this.post({ type: "ask", question });
    this.focus();
  }

  private typed(): void {
    this.keep(this.field.value);
    this.field.style.height = "auto";
    this.field.style.height = `${this.field.scrollHeight}px`;
  }

  private key(event: KeyboardEvent): void {
    if (event.isComposing || this.question.key(event)) return;
    if (event.key === "Enter" && !event.shiftKey && !event.altKey) {
      event.preventDefault();
      this.ask();
    } else if (event.key === "ArrowUp" && this.onFirstLine() && this.recall(1)) {
      event.preventDefault();
    } else if (event.key === "ArrowDown" && this.back > 0 && this.recall(-1)) {
      event.preventDefault();
    } else if (event.key === "Escape" && this.shown?.busy !== true && this.shown?.replaces !== "") {
      this.post({ type: "keep" });
    }
  }

  private filterKey(event: KeyboardEvent): void {
    if (event.isComposing || this.filters.key(event)) return;
    if (event.key !== "Enter") return;
    this.choose();
    this.focus();
  }

  /** Only where the cursor could not go up within the text. */
  private onFirstLine(): boolean {
    return this.field.selectionStart === this.field.selectionEnd && !this.field.value.slice(0, this.field.selectionStart).includes("\n");
  }

  /** Show an older or newer question of this conversation; false when there is none. */
  private recall(step: number): boolean {
    const asked = (this.shown?.conversation.turns ?? []).filter(known).map((turn) => turn.question);
    const place = this.back + step;
    if (place < 0 || place > asked.length) return false;
    if (this.back === 0) this.draft = this.field.value;
    this.back = place;
    this.field.value = place === 0 ? this.draft : (asked[asked.length - place] ?? "");
    this.typed();
    return true;
  }
}

/** Fill a select with names behind one that chooses nothing. */
function options(of: HTMLSelectElement, chosen: string, nothing: string, names: readonly string[]): void {
  const wanted = [["", nothing], ...names.map((one) => [one, one])];
  if (chosen !== "" && !names.includes(chosen)) wanted.push([chosen, chosen]);
  if (of.dataset.has !== JSON.stringify(wanted)) {
    of.dataset.has = JSON.stringify(wanted);
    of.replaceChildren(...wanted.map(([value, label]) => element("option", { value }, label)));
  }
  of.value = chosen;
}
