// A change that an answer proposes, shown before it is made.
import { Modal, Setting } from "obsidian";
import type { ApplyResult } from "khojd-common/protocol";

import { lines } from "./difference";
import type { Khoj } from "./khoj";

const SIGNS = { added: "+", removed: "−", same: " " } as const;
/** Lines of the note that are shown around a change. */
const AROUND = 3;

/** The difference, with a button that makes the change; only that button does. */
export class ProposalModal extends Modal {
  private constructor(
    private readonly khoj: Khoj,
    private readonly turn: string,
    private readonly id: string,
    private readonly found: ApplyResult,
    private readonly text: string,
  ) {
    super(khoj.app);
  }

  /** Show a proposal as a change of the note as it is now. Rejects where it no longer fits. */
  static async show(khoj: Khoj, turn: string, proposal: string): Promise<void> {
    khoj.unsaved.flush();
    const found = await khoj.connection.request("khoj/chat/apply", { turn, proposal, editOnly: true });
    const file = khoj.notes.file(found.uri);
    const text = file === undefined ? "" : (khoj.notes.editor(file)?.getValue() ?? (await khoj.app.vault.read(file)));
    new ProposalModal(khoj, turn, proposal, found, text).open();
  }

  override onOpen(): void {
    const { change } = this.found;
    this.modalEl.addClass("khoj-diff-modal");
    this.setTitle(change.create ? `Make ${this.khoj.shown(change.path)}?` : `Change ${this.khoj.shown(change.path)}?`);
    this.contentEl.empty();
    if (change.why !== "") this.contentEl.createEl("p", { text: change.why });
    this.contentEl.createEl("p", { cls: "khoj-facts", text: change.origin });
    this.diff(this.contentEl.createDiv({ cls: "khoj-diff", attr: { role: "table", "aria-label": "The change" } }));
    new Setting(this.contentEl)
      .addButton((button) => button.setButtonText("Leave it").onClick(() => { this.close(); }))
      .addButton((button) =>
        button
          .setButtonText(change.create ? "Make the note" : "Make the change")
          .setCta()
          .onClick(() => {
            this.close();
            this.khoj.attempt(this.make());
          }));
  }

  override onClose(): void {
    this.contentEl.empty();
  }

  private diff(into: HTMLElement): void {
    const { before, after, above, below } = around(this.text, this.found);
    for (const { kind, text } of [
      ...above.map((line) => ({ kind: "same" as const, text: line })),
      ...lines(before, after),
      ...below.map((line) => ({ kind: "same" as const, text: line })),
    ]) {
      const row = into.createDiv({ cls: `khoj-diff-line khoj-diff-${kind}`, attr: { role: "row" } });
      row.createSpan({ cls: "khoj-diff-sign", text: SIGNS[kind], attr: { "aria-label": kind === "same" ? "" : kind } });
      row.createSpan({ cls: "khoj-diff-text", text });
    }
  }

  private async make(): Promise<void> {
    this.khoj.unsaved.flush();
    const done = await this.khoj.connection.request("khoj/chat/apply", { turn: this.turn, proposal: this.id, confirmed: true });
    if (!done.applied) throw new Error(`The change was not made: ${done.reason}`);
    this.khoj.say(`${this.khoj.shown(done.change.path)} was changed`);
  }
}

interface Around {
  before: string;
  after: string;
  above: string[];
  below: string[];
}

/** The change in whole lines, with some lines around it. Offsets of a change count code points. */
function around(text: string, { change }: ApplyResult): Around {
  const points = Array.from(text);
  const start = points.slice(0, change.start).join("").length;
  const end = start + points.slice(change.start, change.end).join("").length;
  if (change.create || text.slice(start, end) !== change.before) return { ...change, above: [], below: [] };
  const first = start === 0 ? 0 : text.lastIndexOf("\n", start - 1) + 1;
  const next = text.indexOf("\n", end > start && text[end - 1] === "\n" ? end - 1 : end);
  const last = next < 0 ? text.length : next + 1;
  return {
    before: text.slice(first, last),
    after: text.slice(first, start) + change.after + text.slice(end, last),
    above: text.slice(0, first).split("\n").slice(-1 - AROUND, -1),
    below: text.slice(last).split("\n").slice(0, AROUND),
  };
}
