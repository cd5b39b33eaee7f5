// A question and its answer, shown while it is written.
import { Component, setIcon } from "obsidian";
import { about, remark, sources, spent } from "khojd-common/answer";
import { known, type Turn } from "khojd-common/conversation";
import type { Location } from "khojd-common/protocol";

import { markUnresolved } from "./answerlinks";
import { blocks, SLOT } from "./blocks";
import type { Khoj } from "./khoj";
import type { Where } from "./notes";
import { ProposalModal } from "./proposal";
import { render, texts } from "./quiet";

/** Milliseconds between two looks at an answer that grows. */
const PACE = 60;

/** What can be done with a turn. */
export interface TurnActions {
  edit(key: number): void;
  retry(key: number): void;
  fork(key: number): void;
}

interface Block {
  text: string;
  /** What is said of its citations: it may be more at the end of the answer. */
  marks: string;
  element: HTMLElement;
  component: Component;
}

/** One turn. `update` shows it as it is by now; blocks that have not changed are left as they are. */
export class TurnView extends Component {
  readonly element: HTMLElement;
  private turn: Turn | undefined;
  private shown = true;
  private readonly rendered: Block[] = [];
  private working: Promise<void> | undefined;
  private stale = false;
  private drawn = "";
  private readonly question: HTMLElement;
  private readonly actions: HTMLElement;
  private readonly work: HTMLDetailsElement;
  private readonly workLine: HTMLElement;
  private readonly workText: HTMLElement;
  private readonly answer: HTMLElement;
  private readonly remark: HTMLElement;
  private readonly after: HTMLElement;

  constructor(
    parent: HTMLElement,
    private readonly khoj: Khoj,
    private readonly can: TurnActions,
  ) {
    super();
    this.element = parent.createDiv({ cls: "khoj-turn" });
    const head = this.element.createDiv({ cls: "khoj-turn-head" });
    this.question = head.createDiv({ cls: "khoj-question" });
    this.actions = head.createDiv({ cls: "khoj-turn-actions" });
    this.work = this.element.createEl("details", { cls: "khoj-work" });
    this.workLine = this.work.createEl("summary");
    this.workText = this.work.createDiv({ cls: "khoj-work-text" });
    this.answer = this.element.createDiv({ cls: "khoj-answer markdown-rendered", attr: { "aria-live": "polite" } });
    this.remark = this.element.createDiv({ cls: "khoj-remark" });
    this.after = this.element.createDiv({ cls: "khoj-after" });
  }

  override onunload(): void {
    for (const block of this.rendered) block.component.unload();
    this.rendered.length = 0;
    this.shown = false;
    this.stale = false;
    this.element.remove();
  }

  /** Show the turn as it is now. The promise is of its answer, rendered. */
  update(turn: Turn): Promise<void> {
    const before = this.turn;
    this.turn = turn;
    if (before?.question !== turn.question) this.question.setText(turn.question);
    if (before?.steps !== turn.steps || before.thinking !== turn.thinking || before.state !== turn.state) this.showWork(turn);
    const rest = JSON.stringify([turn.state, turn.id, turn.reason, turn.citations, turn.references, turn.proposals]);
    if (rest !== this.drawn) {
      this.drawn = rest;
      this.showRest(turn);
    }
    this.stale = true;
    this.answer.setAttribute("aria-busy", "true"); // it is read out when it is whole
    this.working ??= this.catchUp();
    return this.working;
  }

  /** Render what has changed until nothing has; at a pace, however fast the answer grows. */
  private async catchUp(): Promise<void> {
    try {
      while (this.stale && this.turn !== undefined) {
        this.stale = false;
        await this.showAnswer(this.turn);
        if (this.turn.state === "running") await new Promise((resolve) => window.setTimeout(resolve, PACE));
      }
    } finally {
      this.working = undefined;
      this.answer.setAttribute("aria-busy", String(this.turn?.state === "running"));
    }
  }

  private async showAnswer(turn: Turn): Promise<void> {
    const wanted = blocks(turn.answer, turn.citations);
    for (const old of this.rendered.splice(wanted.length)) drop(old);
    for (const [index, text] of wanted.entries()) {
      const old = this.rendered[index];
      const marks = marked(text, turn);
      if (old?.text === text && old.marks === marks) continue;
      const element = createDiv({ cls: "khoj-block" });
      const component = new Component();
      component.load();
      await render(this.khoj.app, text, element, "", component);
      if (!this.shown) {
        component.unload();
        return;
      }
      markUnresolved(this.khoj.app, element);
      this.cite(element, turn);
      this.rendered[index] = { text, marks, element, component };
      if (old === undefined) this.answer.append(element);
      else {
        old.element.replaceWith(element);
        old.component.unload();
      }
    }
  }

  /** Put links where the slots of citations are. */
  private cite(element: HTMLElement, turn: Turn): void {
    for (const text of texts(element)) {
      const pieces: (Node | string)[] = [];
      let place = 0;
      for (const slot of text.data.matchAll(SLOT)) {
        const index = Number(slot[1]);
        const citation = turn.citations[index];
        // No line ends between a claim and what it cites.
        pieces.push(text.data.slice(place, slot.index).replace(/[ \t]+$/, "\u00a0"));
        place = slot.index + slot[0].length;
        if (citation === undefined) continue;
        // The end of the answer says again where everything is by then.
        const now = () => this.turn?.citations[index]?.location ?? citation.location;
        const link = this.link(now, `${citation.number}`, about(citation));
        link.addClass("khoj-citation");
        link.toggleClass("khoj-weak", citation.weak || citation.state === "stale");
        pieces.push(link);
      }
      if (place > 0) text.replaceWith(...pieces, text.data.slice(place));
    }
  }

  /** A link to a place, as Obsidian has them: the view shows what is there when the mouse is over it. */
  private link(place: () => Location, text: string, label: string): HTMLElement {
    const location = place();
    const href = this.khoj.linktext(location);
    const link = createEl("a", { cls: "internal-link", text, href, attr: { "data-href": href, "aria-label": label } });
    const open = (event: MouseEvent, where: Where) => {
      event.preventDefault();
      event.stopPropagation();
      this.khoj.attempt(this.khoj.notes.open(place(), where));
    };
    link.onclick = (event) => { open(event, event.metaKey || event.ctrlKey ? "right" : "here"); };
    link.onauxclick = (event) => { if (event.button === 1) open(event, "tab"); };
    return link;
  }

  private showWork(turn: Turn): void {
    const { steps, thinking, state, answer } = turn;
    this.work.toggle(steps.length > 0 || thinking !== "" || state === "running");
    const last = steps.at(-1)?.text ?? "";
    const busy = state === "running" && answer === "";
    this.workLine.setText(busy ? (thinking !== "" ? "Thinking …" : last !== "" ? `${last} …` : "Asking …") : this.summary(turn));
    this.work.toggleClass("khoj-busy", busy);
    this.workText.empty();
    for (const step of steps) this.workText.createDiv({ cls: `khoj-step khoj-step-${step.kind}`, text: step.text });
    if (thinking !== "") this.workText.createDiv({ cls: "khoj-thinking", text: thinking });
  }

  private summary({ steps, thinking }: Turn): string {
    const parts = [steps.length === 1 ? "1 step" : steps.length > 0 ? `${steps.length} steps` : "", thinking === "" ? "" : "thinking"];
    return parts.filter((part) => part !== "").join(", ");
  }

  private showRest(turn: Turn): void {
    const { state, extractive } = turn;
    const remarks = [remark(turn), extractive ? "No model answered: these are the passages that fit best." : ""];
    this.remark.setText(remarks.filter((part) => part !== "").join(": "));
    this.remark.toggle(this.remark.textContent !== "");
    this.remark.toggleClass("khoj-wrong", state === "failed" || state === "cut-off");
    this.after.empty();
    this.showProposals(turn);
    if (state !== "running") this.showSources(turn);
    this.showActions(turn);
  }

  private showProposals({ id, proposals }: Turn): void {
    for (const proposal of proposals) {
      const row = this.after.createDiv({ cls: "khoj-proposal" });
      row.createSpan({ text: proposal.why === "" ? `A change to ${this.khoj.shown(proposal.path)}` : `${this.khoj.shown(proposal.path)}: ${proposal.why}` });
      const button = row.createEl("button", { text: "Review the change" });
      button.onclick = () => { this.khoj.attempt(ProposalModal.show(this.khoj, id, proposal.id)); };
    }
  }

  private showSources({ citations, references, model, usage }: Turn): void {
    const found = sources(citations, references);
    if (found.length > 0) {
      const details = this.after.createEl("details", { cls: "khoj-sources" });
      details.createEl("summary", { text: found.length === 1 ? "1 source" : `${found.length} sources` });
      for (const source of found) {
        const row = details.createDiv({ cls: "khoj-source" });
        row.createSpan({ cls: "khoj-source-number", text: `${source.number}` });
        const text = row.createDiv();
        const place = source.citation ?? source.reference;
        if (place !== undefined) text.append(this.link(() => place.location, source.label, source.label));
        const doubts = [source.stale ? "changed since" : "", source.weak ? "weak" : "", source.date].filter((part) => part !== "");
        if (doubts.length > 0) text.createSpan({ cls: "khoj-source-facts", text: doubts.join(", ") });
        text.createDiv({ cls: "khoj-source-quote", text: source.quote });
      }
    }
    const facts = [model, spent(usage)].filter((part) => part !== "").join(" · ");
    if (facts !== "") this.after.createDiv({ cls: "khoj-facts", text: facts });
  }

  private showActions(turn: Turn): void {
    this.actions.empty();
    if (turn.state === "running") return;
    const { key } = turn;
    this.action("pencil", "Edit the question and ask again", () => { this.can.edit(key); });
    this.action("rotate-ccw", "Ask again", () => { this.can.retry(key); });
    if (known(turn)) this.action("git-fork", "Go on from here in a conversation of its own", () => { this.can.fork(key); });
    if (turn.answer !== "") {
      this.action("copy", "Copy the answer", () => { this.khoj.attempt(navigator.clipboard.writeText(turn.answer)); });
    }
  }

  private action(icon: string, label: string, run: () => void): void {
    const button = this.actions.createEl("button", { cls: "clickable-icon", attr: { "aria-label": label } });
    setIcon(button, icon);
    button.onclick = run;
  }
}

function marked(text: string, { citations }: Turn): string {
  return Array.from(text.matchAll(SLOT), (slot) => {
    const citation = citations[Number(slot[1])];
    return citation === undefined ? "" : `${citation.state} ${String(citation.weak)}`;
  }).join();
}

function drop({ element, component }: Block): void {
  component.unload();
  element.remove();
}
