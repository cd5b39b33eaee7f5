// The list of completions at a field.
import { completed, type FilterCompletions, type FilterItem } from "khojd-common/filters";

/** Rows that are shown at most. */
const MOST = 8;

/** Completes in a field what `complete` knows; the field's owner has keys call `move` and `take`. */
export class CompletionList {
  private found: FilterCompletions | undefined;
  private selected = 0;

  constructor(
    private readonly field: HTMLInputElement | HTMLTextAreaElement,
    private readonly element: HTMLElement,
    private readonly complete: (text: string, cursor: number) => FilterCompletions,
    /** Called when the text of the field was completed. */
    private readonly taken: () => void,
  ) {
    element.addClass("khoj-completions");
    element.setAttribute("role", "listbox");
    element.setAttribute("aria-label", "Completions");
  }

  /** Look at what is written now. */
  update(): void {
    const { value, selectionStart } = this.field;
    const found = this.complete(value, selectionStart ?? value.length);
    this.found = found.items.length > 0 ? found : undefined;
    this.selected = 0;
    this.draw();
  }

  get open(): boolean {
    return this.found !== undefined;
  }

  /** Select the next one, or another. */
  move(by: number): void {
    const count = this.found?.items.length ?? 1;
    this.selected = (this.selected + by + count) % count;
    this.draw();
  }

  /** Put the selected one into the field. */
  take(): void {
    const item = this.found?.items[this.selected];
    if (item !== undefined) this.put(item);
  }

  close(): void {
    this.found = undefined;
    this.draw();
  }

  private put(item: FilterItem): void {
    if (this.found === undefined) return;
    // It gets one space behind it, whether it has that of its own or not.
    const { text, cursor } = completed(this.field.value, this.found, { ...item, text: item.text.trimEnd() });
    this.field.value = text;
    this.field.setSelectionRange(cursor, cursor);
    this.field.focus();
    this.update();
    this.taken();
  }

  private draw(): void {
    this.element.empty();
    const items = this.found?.items ?? [];
    const first = Math.max(0, Math.min(this.selected - MOST + 2, items.length - MOST));
    for (const [place, item] of items.slice(first, first + MOST).entries()) {
      const chosen = first + place === this.selected;
      const row = this.element.createDiv({ cls: "khoj-completion", attr: { role: "option", "aria-selected": String(chosen) } });
      row.toggleClass("is-selected", chosen);
      row.createSpan({ cls: "khoj-completion-text", text: item.text.trim() });
      row.createSpan({ cls: "khoj-completion-about", text: item.detail });
      row.onmousedown = (event) => {
        event.preventDefault(); // the field keeps the focus
        this.put(item);
      };
    }
  }
}
