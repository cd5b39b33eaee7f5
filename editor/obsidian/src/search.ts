// Search while it is typed.
import { Modal, Platform, type Modifier } from "obsidian";
import { completions, needsKnown, UNKNOWN } from "khojd-common/filters";
import { Search } from "khojd-common/search";
import type { Hit, SearchResult } from "khojd-common/protocol";

import { CompletionList } from "./completionlist";
import { showHit } from "./hits";
import type { Khoj } from "./khoj";
import type { Where } from "./notes";
import { Preview } from "./preview";

/** Milliseconds for which a hit is selected before its section is rendered. */
const PREVIEW_DELAY = 80;

const PHASES: Readonly<Record<SearchResult["phase"], string>> = { words: "by words", fused: "by words and meaning", reranked: "re-ranked" };

/** What is done with the hit that is chosen. */
export interface Purpose {
  placeholder: string;
  query: string;
  /** Where notes are opened, unless `choose` says what is done instead. */
  choose?: (hit: Hit) => void;
}

/** The window of the search. */
export class SearchModal extends Modal {
  private hits: readonly Hit[] = [];
  private selected = 0;
  private result: SearchResult | undefined;
  private whole = true;
  private query: string | undefined;
  private field!: HTMLInputElement;
  private list!: HTMLElement;
  private line!: HTMLElement;
  private filters!: CompletionList;
  private values = UNKNOWN;
  private preview: Preview | undefined;
  private timer: number | undefined;
  private readonly search: Search;

  constructor(
    private readonly khoj: Khoj,
    private readonly purpose: Purpose,
  ) {
    super(khoj.app);
    const { delay, limit } = khoj.settings;
    this.search = new Search(khoj.connection, {
      delay,
      limit,
      show: (result, whole) => { this.take(result, whole); },
      fail: (message) => { this.fail(message); },
    });
  }

  override onOpen(): void {
    const { contentEl, modalEl, khoj, purpose } = this;
    modalEl.addClass("khoj-search");
    contentEl.empty();
    this.field = contentEl.createEl("input", {
      cls: "khoj-search-field",
      type: "text",
      value: purpose.query,
      attr: {
        placeholder: purpose.placeholder,
        "aria-label": purpose.placeholder,
        role: "combobox",
        "aria-expanded": "true",
        "aria-controls": "khoj-search-hits",
        spellcheck: "false",
        autocomplete: "off",
      },
    });
    const complete = (text: string, cursor: number) => completions(text, cursor, this.values);
    this.filters = new CompletionList(this.field, contentEl.createDiv(), complete, () => {
      this.typed();
      this.learn();
    });
    const body = contentEl.createDiv({ cls: "khoj-search-body" });
    this.list = body.createDiv({ cls: "khoj-search-hits", attr: { role: "listbox", id: "khoj-search-hits", "aria-label": "Results" } });
    if (khoj.settings.preview) {
      this.preview = new Preview(khoj.app, khoj.notes, body.createDiv({ cls: "khoj-search-preview", attr: { "aria-label": "Preview" } }));
    }
    this.line = contentEl.createDiv({ cls: "khoj-search-line", attr: { role: "status" } });
    this.instructions();
    this.keys();
    this.field.oninput = () => {
      this.filters.update();
      this.typed();
      this.learn();
    };
    this.field.focus();
    this.field.select();
    khoj.unsaved.flush();
    this.tell(khoj.connection.problem);
    this.typed();
  }

  override onClose(): void {
    window.clearTimeout(this.timer);
    this.search.cancel();
    this.preview?.clear();
    this.contentEl.empty();
  }

  private typed(): void {
    const query = this.field.value.trim();
    if (query === this.query) return;
    this.query = query;
    this.list.setAttribute("aria-busy", "true");
    this.search.ask(query);
  }

  /** Ask for what the notes have when a filter is typed that has such values. It is a help only: names are completed without it. */
  private learn(): void {
    if (this.values !== UNKNOWN || !needsKnown(this.field.value)) return;
    this.khoj.values.get().then((values) => {
      this.values = values;
      if (this.field.isConnected) this.filters.update();
    }, () => undefined);
  }

  private take(result: SearchResult, whole: boolean): void {
    const before = this.hits[this.selected];
    this.result = result;
    this.whole = whole;
    if (whole) this.list.setAttribute("aria-busy", "false");
    this.hits = result.hits;
    // A hit that a person has gone to stays selected when a later phase moves it.
    const kept = this.selected > 0 ? this.hits.findIndex((hit) => same(hit, before)) : 0;
    this.selected = Math.max(0, kept);
    this.draw();
    const empty = whole && this.hits.length === 0 && this.field.value.trim() !== "";
    this.tell([empty ? "Nothing was found" : "", ...result.notes.slice(0, 1)].filter((part) => part !== "").join(" · "));
  }

  private fail(message: string): void {
    this.hits = [];
    this.result = undefined;
    this.list.setAttribute("aria-busy", "false");
    this.draw();
    this.tell(message, true);
  }

  private tell(note: string, wrong = false): void {
    const { result, whole } = this;
    const found = result !== undefined && this.hits.length > 0 ? `${this.hits.length} found ${PHASES[result.phase]}${whole ? "" : " …"}` : "";
    this.line.setText([note, found].filter((part) => part !== "").join(" · "));
    this.line.toggleClass("khoj-wrong", wrong);
  }

  private draw(): void {
    const rows = this.list.children;
    while (rows.length > this.hits.length) rows[rows.length - 1]?.remove();
    for (const [index, hit] of this.hits.entries()) {
      let row = rows[index] as HTMLElement | undefined;
      if (row === undefined) {
        row = this.list.createDiv({ cls: "khoj-hit", attr: { role: "option", id: `khoj-hit-${index}` } });
        row.onclick = (event) => {
          this.selected = index;
          this.choose(event.metaKey || event.ctrlKey ? "right" : "here");
        };
        row.onmousemove = () => {
          if (this.selected !== index) this.select(index, false);
        };
      }
      showHit(row, hit);
    }
    if (this.list.scrollTop > 0) this.list.scrollTop = 0;
    this.select(this.selected, this.selected > 0);
  }

  private select(index: number, scroll: boolean): void {
    this.selected = index;
    for (const [at, row] of Array.from(this.list.children).entries()) {
      row.toggleClass("is-selected", at === index);
      row.setAttribute("aria-selected", String(at === index));
      if (at === index && scroll) row.scrollIntoView({ block: "nearest" });
    }
    this.field.setAttribute("aria-activedescendant", this.hits.length > 0 ? `khoj-hit-${index}` : "");
    window.clearTimeout(this.timer);
    const { preview } = this;
    if (preview !== undefined) this.timer = window.setTimeout(() => void preview.show(this.hits[this.selected]), PREVIEW_DELAY);
  }

  private keys(): void {
    this.key([], "ArrowDown", () => { this.move(1); });
    this.key([], "ArrowUp", () => { this.move(-1); });
    this.key(["Ctrl"], "n", () => { this.move(1); });
    this.key(["Ctrl"], "p", () => { this.move(-1); });
    this.key([], "Tab", () => { this.filters.take(); });
    this.key([], "Enter", () => { this.choose("here"); });
    if (this.purpose.choose !== undefined) return;
    this.key(["Mod"], "Enter", () => { this.choose("right"); });
    this.key(["Shift"], "Enter", () => { this.create(); });
    this.key(["Alt"], "Enter", () => { this.link(); });
  }

  private key(modifiers: Modifier[], key: string, run: () => void): void {
    this.scope.register(modifiers, key, (event) => {
      if (event.isComposing) return undefined;
      run();
      return false;
    });
  }

  private move(by: number): void {
    if (this.hits.length > 0) this.select((this.selected + by + this.hits.length) % this.hits.length, true);
  }

  private choose(where: Where): void {
    const hit = this.hits[this.selected];
    if (hit === undefined) return;
    this.close();
    if (this.purpose.choose !== undefined) this.purpose.choose(hit);
    else this.khoj.attempt(this.khoj.notes.open(hit.location, where));
  }

  private link(): void {
    const hit = this.hits[this.selected];
    if (hit === undefined) return;
    this.close();
    this.khoj.attempt(this.khoj.insertLink(hit));
  }

  private create(): void {
    const title = this.field.value.trim();
    if (title === "") return;
    this.close();
    this.khoj.attempt(this.khoj.createNote(title));
  }

  private instructions(): void {
    const bar = this.contentEl.createDiv({ cls: "prompt-instructions khoj-search-keys" });
    const mod = Platform.isMacOS ? "⌘" : "Ctrl";
    const all: [string, string][] =
      this.purpose.choose === undefined
        ? [["↵", "to open"], [`${mod} ↵`, "to the right"], ["Shift ↵", "to make a note"], ["Alt ↵", "to insert a link"]]
        : [["↵", "to insert"]];
    for (const [keys, purpose] of [...all, ["Tab", "to complete a filter"], ["Esc", "to close"]] as [string, string][]) {
      const item = bar.createDiv({ cls: "prompt-instruction" });
      item.createSpan({ cls: "prompt-instruction-command", text: keys });
      item.createSpan({ text: purpose });
    }
  }
}

function same(hit: Hit, other: Hit | undefined): boolean {
  return hit.location.uri === other?.location.uri && hit.entry.start.line === other.entry.start.line;
}
