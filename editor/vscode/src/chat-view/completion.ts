// A list of what can be written at the cursor of a field. The keyboard stays in the field.
import { completed, type FilterCompletions } from "khojd-common/filters";

import { attribute, element } from "./dom";

type Field = HTMLInputElement | HTMLTextAreaElement;

let lists = 0;
let questions = 0; // of all lists, so that each knows its own answers

export class Completion {
  readonly list: HTMLElement;
  private found: FilterCompletions = { start: 0, end: 0, items: [] };
  private at = 0;
  private asked = 0;

  /** `ask` has what can be written at a cursor come back by `answered`, with the same id. */
  constructor(
    private readonly field: Field,
    private readonly ask: (id: number, text: string, cursor: number) => void,
  ) {
    this.list = element("ul", { class: "completion", role: "listbox", id: `completion-${++lists}`, "aria-label": "Completions", hidden: true });
    for (const [name, value] of Object.entries({ role: "combobox", "aria-autocomplete": "list", "aria-controls": this.list.id })) {
      attribute(field, name, value);
    }
    field.addEventListener("input", () => { this.look(); });
    field.addEventListener("blur", () => { this.close(); });
    this.close();
  }

  get open(): boolean {
    return !this.list.hidden;
  }

  /** Take an answer; only that to what was asked last counts. */
  answered(id: number, found: FilterCompletions): void {
    if (id !== this.asked) return;
    this.found = found;
    this.at = 0;
    this.list.hidden = found.items.length === 0;
    this.list.replaceChildren(...found.items.map((item, index) =>
      element("li", { role: "option", id: this.id(index), on: { mousedown: (event) => { event.preventDefault(); this.take(index); } } },
        element("span", {}, item.text.trim()), element("span", { class: "aside" }, item.detail))));
    this.mark();
  }

  /** Whether a key was for the list. */
  key(event: KeyboardEvent): boolean {
    if (!this.open) return false;
    const count = this.found.items.length;
    if (event.key === "ArrowDown") this.at = (this.at + 1) % count;
    else if (event.key === "ArrowUp") this.at = (this.at + count - 1) % count;
    else if (event.key === "Enter" || event.key === "Tab") this.take(this.at);
    else if (event.key === "Escape") this.close();
    else return false;
    event.preventDefault();
    event.stopPropagation();
    this.mark();
    return true;
  }

  close(): void {
    this.asked = 0;
    this.list.hidden = true;
    this.mark();
  }

  private look(): void {
    this.asked = ++questions;
    this.ask(this.asked, this.field.value, this.field.selectionStart ?? this.field.value.length);
  }

  private take(index: number): void {
    const item = this.found.items[index];
    if (item === undefined) return;
    const done = completed(this.field.value, this.found, { ...item, text: item.text.trimEnd() });
    this.field.value = done.text;
    this.field.setSelectionRange(done.cursor, done.cursor);
    this.close();
    this.field.dispatchEvent(new Event("change"));
    if (/[:=<>]$/.test(item.text)) this.look(); // now a value
  }

  private mark(): void {
    attribute(this.field, "aria-expanded", this.open ? "true" : "false");
    attribute(this.field, "aria-activedescendant", this.open ? this.id(this.at) : undefined);
    [...this.list.children].forEach((one, index) => {
      attribute(one, "aria-selected", index === this.at ? "true" : "false");
      if (index === this.at && this.open) one.scrollIntoView({ block: "nearest" });
    });
  }

  private id(index: number): string {
    return `${this.list.id}-${index}`;
  }
}
