// The section that a hit is in, rendered.
import { Component, type App } from "obsidian";
import { lastLine } from "khojd-common/links";
import type { Hit } from "khojd-common/protocol";

import { words } from "./hits";
import type { Notes } from "./notes";
import { render, texts } from "./quiet";

/** Lines of a section that are shown at most. */
const MOST_LINES = 120;

/** Shows one section at a time, in an element of its own. What is slow to come and no longer wanted is not shown. */
export class Preview {
  private shown: Component | undefined;
  private wanted: Hit | undefined;

  constructor(
    private readonly app: App,
    private readonly notes: Notes,
    private readonly element: HTMLElement,
  ) {}

  /** Show the section of a hit, or nothing. */
  async show(hit: Hit | undefined): Promise<void> {
    this.wanted = hit;
    if (hit === undefined) {
      this.clear();
      return;
    }
    const fresh = createDiv();
    const component = new Component();
    component.load();
    const file = this.notes.file(hit.location.uri);
    if (file?.extension === "md") {
      const { text, first } = section(this.notes.editor(file)?.getValue() ?? (await this.app.vault.cachedRead(file)), hit);
      await render(this.app, text, fresh, file.path, component);
      fresh.toggleClass("khoj-preview-inside", first > 0);
      fresh.addClass("markdown-rendered");
    } else {
      fresh.addClass("khoj-preview-plain");
      fresh.setText(hit.snippet);
    }
    if (this.wanted !== hit) {
      component.unload();
      return;
    }
    this.clear();
    this.shown = component;
    const match = emphasize(fresh, words(hit));
    this.element.replaceChildren(fresh);
    match?.scrollIntoView({ block: "center" });
  }

  clear(): void {
    this.shown?.unload();
    this.shown = undefined;
    this.element.empty();
  }
}

/** The lines of the entry around the place that was found. */
function section(text: string, { entry, location }: Hit): { text: string; first: number } {
  const lines = text.split(/\r\n|\n|\r/);
  const last = lastLine(entry);
  const found = location.range.start.line;
  const first = Math.max(entry.start.line, Math.min(found - MOST_LINES / 2, last - MOST_LINES));
  return { text: lines.slice(first, Math.min(last + 1, first + MOST_LINES)).join("\n"), first: first - entry.start.line };
}

/** Mark words in what was rendered; the result is the first mark. */
function emphasize(root: HTMLElement, wanted: readonly string[]): HTMLElement | undefined {
  if (wanted.length === 0) return undefined;
  const escaped = wanted.map((word) => word.replace(/[.*+?^${}()|[\]\\]/g, "\\$&").replace(/\s+/g, "\\s+"));
  const pattern = new RegExp(`(?<![\\p{L}\\p{N}])(?:${escaped.join("|")})(?![\\p{L}\\p{N}])`, "giu");
  let first: HTMLElement | undefined;
  for (const text of texts(root)) {
    const pieces: (Node | string)[] = [];
    let place = 0;
    for (const match of text.data.matchAll(pattern)) {
      const mark = createEl("mark", { cls: "khoj-match", text: match[0] });
      pieces.push(text.data.slice(place, match.index), mark);
      place = match.index + match[0].length;
      first ??= mark;
    }
    if (pieces.length > 0) text.replaceWith(...pieces, text.data.slice(place));
  }
  return first;
}
