// A question and its answer in the view. What is there stays when it goes on: the focus, what is unfolded, what is selected.
import { about, flat, name, remark, type Source, sources, spent } from "khojd-common/answer";
import { known, type Turn } from "khojd-common/conversation";
import type { Citation, Proposal, Step } from "khojd-common/protocol";

import { attribute, button, element, sign } from "./dom";
import { type Block, blocks, type Presses } from "./markdown";

/** What can be done with a turn. */
export interface TurnPresses extends Presses {
  cite(key: number, index: number): void;
  source(key: number, number: number): void;
  proposal(key: number, id: string): void;
  retry(key: number): void;
  edit(key: number): void;
  fork(key: number): void;
}

export class TurnView {
  readonly root: HTMLElement;
  private readonly doing = element("summary");
  private readonly steps = element("ul", { class: "steps" });
  private readonly thinking = element("div", { class: "thinking" });
  private readonly details = element("details", { class: "details" }, this.doing, this.steps, this.thinking);
  private readonly notices = element("ul", { class: "notices" });
  private readonly answer = element("div", { class: "answer" });
  private readonly badge = element("p", { class: "badge" }, "Quoted from your notes: no model answered");
  private readonly remark = element("p", { class: "remark" });
  private readonly proposals = element("ul", { class: "proposals" });
  private readonly sourcesHead = element("summary");
  private readonly sourcesList = element("ol", { class: "sources" });
  private readonly references = element("details", { class: "references", open: true }, this.sourcesHead, this.sourcesList);
  private readonly usage = element("span", { class: "usage" });
  private readonly actions = element("div", { class: "actions", role: "toolbar", "aria-label": "What to do with this answer" });
  private shown: Turn | undefined;
  private drawn: { key: string; node: Node }[] = [];
  private said = 0; // blocks

  constructor(turn: Turn, private readonly presses: TurnPresses) {
    const id = `turn-${turn.key}`;
    this.root = element("article", { class: "turn", "aria-labelledby": id },
      element("h2", { class: "question", id }, turn.question),
      this.details, this.notices, this.badge, this.answer, this.proposals, this.remark, this.references,
      element("div", { class: "foot" }, this.usage, this.actions));
    this.update(turn);
  }

  /** The turn that is shown. */
  get turn(): Turn | undefined {
    return this.shown;
  }

  /** Show the turn as it is now. The blocks of its answer that are whole, and were not said before, are the result. */
  update(turn: Turn): string[] {
    const before = this.shown;
    this.shown = turn;
    attribute(this.root, "aria-busy", turn.state === "running" ? "true" : undefined);
    this.showSteps(turn);
    this.badge.hidden = !turn.extractive;
    this.showRemark(turn);
    if (turn.proposals !== before?.proposals) this.showProposals(turn.proposals);
    const ended = turn.state !== "running";
    this.showSources(ended ? sources(turn.citations, turn.references) : []);
    this.usage.textContent = [turn.model, spent(turn.usage)].filter((part) => part !== "").join(" · ");
    this.showActions(turn, ended);
    return this.showAnswer(turn, ended);
  }

  private showSteps(turn: Turn): void {
    const running = turn.state === "running";
    const last = turn.steps.at(-1)?.text ?? "";
    const words = turn.thinking === "" ? 0 : turn.thinking.trim().split(/\s+/).length;
    const now = turn.answer !== "" ? "answering…" : turn.thinking !== "" && last === "" ? "thinking…" : last === "" ? "asking…" : `${last}…`;
    const parts = [
      turn.steps.length === 0 ? "" : turn.steps.length === 1 ? "1 step" : `${turn.steps.length} steps`,
      words === 0 ? "" : `thought ${words.toLocaleString("en")} words`,
      running ? now : "",
    ];
    const text = parts.filter((part) => part !== "").join(" · ");
    if (this.doing.textContent !== text) this.doing.textContent = text;
    this.details.hidden = text === "";
    for (const step of turn.steps.slice(this.steps.childElementCount)) this.steps.append(element("li", { class: `step-${step.kind}` }, step.text));
    while (this.steps.childElementCount > turn.steps.length) this.steps.lastElementChild?.remove();
    if (this.thinking.textContent !== turn.thinking) this.thinking.textContent = turn.thinking;
    const told = turn.steps.filter((step: Step) => step.kind === "notice");
    if (told.length !== this.notices.childElementCount) this.notices.replaceChildren(...told.map((step) => element("li", {}, step.text)));
    this.notices.hidden = told.length === 0;
  }

  private showAnswer(turn: Turn, ended: boolean): string[] {
    const cited = (citation: Citation, index: number) => this.citation(turn.key, citation, index);
    const now = blocks(turn.answer, turn.citations, cited, this.presses);
    const same = common(this.drawn, now);
    for (const old of this.drawn.splice(same)) old.node.parentNode?.removeChild(old.node);
    for (const block of now.slice(same)) {
      const node = block.make();
      this.answer.append(node);
      this.drawn.push({ key: block.key, node });
    }
    this.answer.hidden = now.length === 0;
    return this.fresh(ended);
  }

  /** Words of the blocks that have become whole. */
  private fresh(ended: boolean): string[] {
    const whole = ended ? this.drawn.length : this.drawn.length - 1;
    const texts = this.drawn.slice(this.said, Math.max(this.said, whole)).map((one) => flat(one.node.textContent ?? ""));
    this.said = Math.max(this.said, whole);
    return texts;
  }

  private citation(key: number, citation: Citation, index: number): HTMLElement {
    const kinds = ["citation", citation.weak ? "weak" : "", citation.state === "stale" ? "stale" : ""].filter((one) => one !== "");
    return element("button", {
      type: "button",
      class: kinds.join(" "),
      title: about(citation),
      "aria-label": `Source ${citation.number}: ${about(citation)}`,
      on: { click: () => { this.presses.cite(key, index); } },
    }, String(citation.number));
  }

  private showSources(found: readonly Source[]): void {
    const key = this.shown?.key ?? 0;
    const has = JSON.stringify(found.map((one) => [one.number, one.label, one.date, one.quote, one.weak, one.stale]));
    if (this.references.dataset.has === has) return; // the focus may be in it
    this.references.dataset.has = has;
    this.references.hidden = found.length === 0;
    this.sourcesHead.textContent = found.length === 1 ? "1 source" : `${found.length} sources`;
    this.sourcesList.replaceChildren(...found.map((one) =>
      element("li", { value: one.number },
        element("button", { type: "button", class: "source", on: { click: () => { this.presses.source(key, one.number); } } }, one.label),
        one.date === "" ? undefined : element("span", { class: "aside" }, one.date),
        one.stale ? element("span", { class: "doubt" }, "changed since") : undefined,
        one.weak ? element("span", { class: "doubt" }, "weak") : undefined,
        element("div", { class: "quote" }, one.quote))));
  }

  private showProposals(proposals: readonly Proposal[]): void {
    const key = this.shown?.key ?? 0;
    this.proposals.hidden = proposals.length === 0;
    this.proposals.replaceChildren(...proposals.map((one) => {
      const file = name(one.path);
      return element("li", {},
        element("span", {}, `Proposes to ${one.why === "" ? `change ${file}` : one.why}`),
        button("Show Change", () => { this.presses.proposal(key, one.id); }, { "aria-label": `Show the proposed change of ${file}` }));
    }));
  }

  private showRemark(turn: Turn): void {
    const text = remark(turn);
    if (this.remark.textContent !== text) this.remark.textContent = text;
    this.remark.hidden = text === "";
    this.remark.className = turn.state === "cancelled" || turn.state === "elsewhere" ? "remark" : "remark problem";
  }

  private showActions(turn: Turn, ended: boolean): void {
    const wanted = !ended ? "" : known(turn) ? "all" : "again";
    if (this.actions.dataset.has === wanted) return;
    this.actions.dataset.has = wanted;
    const { key } = turn;
    const again = sign("again", "Ask again", () => { this.presses.retry(key); });
    const all = [
      sign("copy", "Copy answer", () => { this.presses.copy(this.shown?.answer ?? ""); }),
      again,
      sign("edit", "Edit question", () => { this.presses.edit(key); }),
      sign("fork", "Fork here", () => { this.presses.fork(key); }),
    ];
    this.actions.replaceChildren(...(wanted === "all" ? all : wanted === "again" ? [again] : []));
  }
}

/** How many blocks at the beginning are the same. */
function common(drawn: readonly { key: string }[], now: readonly Block[]): number {
  let same = 0;
  while (same < drawn.length && same < now.length && drawn[same]?.key === now[same]?.key) same++;
  return same;
}
