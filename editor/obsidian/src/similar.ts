// Notes like the one at hand, beside it.
import { ItemView, type WorkspaceLeaf } from "obsidian";
import { cancelled, reason } from "khojd-common/channel";
import type { Hit, SimilarParams } from "khojd-common/protocol";

import { showHit } from "./hits";
import type { Khoj } from "./khoj";
import type { AtHand } from "./notes";

export const SIMILAR = "khoj-similar";

/** Milliseconds for which the cursor rests before it is followed. */
const DELAY = 300;
const LIMIT = 15;

/** What of the note at hand is compared. */
export type Part = "cursor" | "note" | "selection";

const PARTS: readonly [Part, string][] = [["cursor", "At the cursor"], ["selection", "The selection"], ["note", "The note"]];

/** The list. It follows the cursor when it is asked to. */
export class SimilarView extends ItemView {
  override navigation = false;
  private part: Part = "cursor";
  private following: boolean;
  private asked = "";
  private running: AbortController | undefined;
  private timer: number | undefined;
  private readonly choice: HTMLSelectElement;
  private readonly head: HTMLElement;
  private readonly list: HTMLElement;

  constructor(
    leaf: WorkspaceLeaf,
    private readonly khoj: Khoj,
  ) {
    super(leaf);
    this.following = khoj.settings.follow;
    const { contentEl } = this;
    contentEl.addClass("khoj-similar");
    const bar = contentEl.createDiv({ cls: "khoj-bar" });
    this.choice = bar.createEl("select", { cls: "dropdown", attr: { "aria-label": "What is compared" } });
    for (const [value, text] of PARTS) this.choice.createEl("option", { value, text });
    this.choice.onchange = () => { this.look(this.choice.value as Part); };
    const label = bar.createEl("label", { cls: "khoj-check" });
    const follower = label.createEl("input", { type: "checkbox" });
    follower.checked = this.following;
    follower.onchange = () => {
      this.following = follower.checked;
      this.moved();
    };
    label.appendText("Follow the cursor");
    this.head = contentEl.createDiv({ cls: "khoj-similar-head", attr: { role: "status" } });
    this.list = contentEl.createDiv({ cls: "khoj-similar-hits", attr: { role: "list", "aria-label": "Similar notes" } });
  }

  override getViewType(): string {
    return SIMILAR;
  }

  override getDisplayText(): string {
    return "Similar notes";
  }

  override getIcon(): string {
    return "waypoints";
  }

  // eslint-disable-next-line @typescript-eslint/require-await -- Obsidian's signature
  override async onOpen(): Promise<void> {
    this.registerEvent(this.app.workspace.on("active-leaf-change", () => { this.moved(); }));
    this.registerEvent(this.app.workspace.on("editor-change", () => { this.moved(); }));
    // Obsidian has no event for the cursor: it moves by keys and clicks.
    for (const event of ["keyup", "mouseup"] as const) {
      this.registerDomEvent(this.app.workspace.containerEl, event, () => { this.moved(); });
    }
    this.look(this.part);
  }

  // eslint-disable-next-line @typescript-eslint/require-await -- Obsidian's signature
  override async onClose(): Promise<void> {
    window.clearTimeout(this.timer);
    this.running?.abort();
  }

  /** Look for what is like a part of the note at hand, also when that was just done. */
  look(part: Part): void {
    this.part = part;
    this.choice.value = part;
    this.asked = "";
    void this.update();
  }

  /** khojd may know more now: ask again about the same. */
  again(): void {
    this.asked = "";
    if (this.following) this.moved();
  }

  private moved(): void {
    if (!this.following) return;
    window.clearTimeout(this.timer);
    this.timer = window.setTimeout(() => void this.update(), DELAY);
  }

  private async update(): Promise<void> {
    const place = this.khoj.notes.atHand();
    if (place === undefined) {
      if (this.list.childElementCount === 0) this.head.setText("No note is open");
      return;
    }
    const params = this.params(place);
    const asked = JSON.stringify([params, place.view.editor.getValue().length]);
    if (asked === this.asked) return;
    this.asked = asked;
    this.running?.abort();
    const mine = (this.running = new AbortController());
    this.khoj.unsaved.flush();
    try {
      const found = await this.khoj.connection.request("khoj/similar", params, { signal: mine.signal });
      if (this.running === mine) this.show(found.hits, place, found.notes[0] ?? "");
    } catch (failure) {
      if (this.running !== mine || cancelled(failure)) return;
      this.asked = "";
      this.head.setText(reason(failure));
    }
  }

  private params({ uri, cursor, selection }: AtHand): SimilarParams {
    const asked = { textDocument: { uri }, limit: LIMIT };
    if (this.part === "note") return asked;
    return this.part === "selection" && selection !== undefined ? { ...asked, range: selection } : { ...asked, position: cursor };
  }

  private show(hits: readonly Hit[], { file, cursor, selection }: AtHand, note: string): void {
    const part = this.part === "selection" && selection !== undefined ? "the selection" : `line ${cursor.line + 1}`;
    const where = this.part === "note" ? file.basename : `${file.basename}, ${part}`;
    this.head.setText([hits.length > 0 ? where : `Nothing is like ${where}`, note].filter((part) => part !== "").join(" · "));
    this.list.empty();
    for (const hit of hits) {
      const row = this.list.createEl("button", { cls: "khoj-hit", attr: { role: "listitem" } });
      showHit(row, hit);
      row.onclick = (event) => {
        this.khoj.attempt(this.khoj.notes.open(hit.location, event.metaKey || event.ctrlKey ? "right" : "here"));
      };
      this.khoj.hover(row, hit.location, SIMILAR, this.leaf);
    }
  }
}
