// The chat view: shows what the extension tells, and tells it what is pressed. It has nothing of its own but the draft.
import { remark } from "khojd-common/answer";
import { receive, type Turn } from "khojd-common/conversation";

import type { Shown, ToHost, ToView } from "../chat/messages";
import { Composer } from "./composer";
import { button, element } from "./dom";
import { History } from "./history";
import "./style.css";
import { type TurnPresses, TurnView } from "./turn";

interface Kept {
  draft: string;
  scroll: number;
}
interface Editor {
  postMessage(message: ToHost): void;
  getState(): Kept | undefined;
  setState(state: Kept): void;
}
declare function acquireVsCodeApi(): Editor;

const NEAR = 40; // pixels from the end at which the end is followed

class View {
  private readonly editor = acquireVsCodeApi();
  private readonly post = (message: ToHost) => { this.editor.postMessage(message); };
  private kept: Kept = this.editor.getState() ?? { draft: "", scroll: -1 };
  private readonly turns = new Map<number, TurnView>();
  private readonly title = element("h1", { class: "title" });
  private readonly problem = element("div", { class: "banner", role: "alert", hidden: true });
  private readonly log = element("main", { class: "log", tabindex: 0, "aria-label": "Conversation" });
  private readonly hint = element("p", { class: "hint" },
    "Answers come from your notes, and each statement leads to the place it is from. Without a model the best passages are quoted.");
  /** What a screen reader says. */
  private readonly voice = element("div", { class: "voice", role: "log", "aria-live": "polite" });
  private readonly composer = new Composer(this.post, (draft) => { this.keep({ draft }); });
  private readonly history = new History(this.post, () => { this.reveal(); this.composer.focus(); });
  private readonly conversation = element("section", { class: "conversation" }, this.title, this.log, this.composer.root);
  private readonly presses: TurnPresses = {
    copy: (text) => { this.post({ type: "copy", text }); },
    link: (href) => { this.post({ type: "link", href }); },
    note: (target) => { this.post({ type: "note", target }); },
    cite: (key, index) => { this.post({ type: "cite", key, index }); },
    source: (key, number) => { this.post({ type: "source", key, number }); },
    proposal: (key, id) => { this.post({ type: "proposal", key, id }); },
    retry: (key) => { this.post({ type: "retry", key }); this.composer.focus(); },
    edit: (key) => { this.post({ type: "edit", key }); },
    fork: (key) => { this.post({ type: "fork", key }); },
  };
  private shown: Shown | undefined;
  private drawing = 0;

  constructor() {
    document.body.append(this.problem, this.history.root, this.conversation, this.voice);
    this.log.addEventListener("scroll", () => { this.keep({ scroll: this.atEnd() ? -1 : this.log.scrollTop }); });
    window.addEventListener("message", (event: MessageEvent<ToView>) => { this.take(event.data); });
    window.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && this.shown?.busy === true && !event.isComposing) this.post({ type: "stop" });
    });
    this.composer.put(this.kept.draft);
    this.post({ type: "ready" });
  }

  private take(message: ToView): void {
    switch (message.type) {
      case "shown":
        this.show(message.shown);
        break;
      case "value":
        if (this.shown === undefined) break;
        this.shown = { ...this.shown, conversation: receive(this.shown.conversation, message.value) };
        if (message.value.kind === "step") this.say(message.value.step.text);
        this.drawing ||= requestAnimationFrame(() => { this.draw(); });
        break;
      case "input":
        this.composer.put(message.text);
        this.composer.focus();
        break;
      case "choices":
        this.composer.offers(message.choices);
        break;
      case "offer":
        this.composer.offer(message.label);
        break;
      case "completions":
        this.composer.question.answered(message.id, message.found);
        this.composer.filters.answered(message.id, message.found);
        break;
      case "history":
        this.history.fill(message.conversations, message.problem);
        break;
      case "problem":
        this.problem.hidden = message.problem === "";
        this.problem.replaceChildren(message.problem, " ", button("Try Again", () => { this.post({ type: "reconnect" }); }));
        break;
      case "focus":
        if (message.history) this.openHistory();
        else {
          if (this.history.open) this.history.close();
          this.composer.focus();
        }
    }
  }

  private show(shown: Shown): void {
    const before = this.shown;
    this.shown = shown;
    this.composer.show(shown);
    this.draw();
    const longer = shown.conversation.turns.length > (before?.conversation.turns.length ?? 0);
    if (before === undefined && this.kept.scroll >= 0) this.log.scrollTop = this.kept.scroll;
    else if (before?.conversation.id !== shown.conversation.id || longer) this.toEnd();
    if (before?.busy === true && !shown.busy) this.say(ending(shown));
  }

  private draw(): void {
    cancelAnimationFrame(this.drawing);
    this.drawing = 0;
    if (this.shown === undefined) return;
    const { conversation, busy } = this.shown;
    const follow = this.atEnd();
    this.title.textContent = conversation.title === "" ? "New conversation" : conversation.title;
    const now = new Map(conversation.turns.map((turn) => [turn.key, turn]));
    for (const [key, view] of this.turns) {
      if (agree(view.turn, now.get(key))) continue;
      view.root.remove();
      this.turns.delete(key);
    }
    for (const [place, turn] of conversation.turns.entries()) {
      const view = this.turns.get(turn.key);
      if (view !== undefined) {
        // What was said before and is whole does not change while another answer is written.
        if (busy && place < conversation.turns.length - 1) continue;
        const said = view.update(turn);
        if (busy) for (const text of said) this.say(text);
      } else {
        const made = new TurnView(turn, this.presses);
        this.turns.set(turn.key, made);
        this.log.insertBefore(made.root, this.log.children[place] ?? null);
      }
    }
    if (conversation.turns.length === 0) this.log.append(this.hint);
    else this.hint.remove();
    if (follow) this.toEnd();
  }

  private openHistory(): void {
    this.conversation.hidden = true;
    this.history.show();
  }

  private reveal(): void {
    this.conversation.hidden = false;
  }

  private say(text: string): void {
    if (text === "") return;
    this.voice.append(element("p", {}, text));
    while (this.voice.childElementCount > 20) this.voice.firstElementChild?.remove();
  }

  private atEnd(): boolean {
    return this.log.scrollHeight - this.log.scrollTop - this.log.clientHeight < NEAR;
  }

  private toEnd(): void {
    this.log.scrollTop = this.log.scrollHeight;
  }

  private keep(more: Partial<Kept>): void {
    this.kept = { ...this.kept, ...more };
    this.editor.setState(this.kept);
  }
}

/** Whether two turns with one key are one turn, which has no id before khojd has taken it. */
function agree(one: Turn | undefined, other: Turn | undefined): boolean {
  if (one === undefined || other?.question !== one.question) return false;
  return one.id === other.id || one.id === "" || other.id === "";
}

/** What is said when an answer has ended. */
function ending(shown: Shown): string {
  const turn = shown.conversation.turns.at(-1);
  if (turn === undefined) return "";
  const sources = new Set(turn.citations.map((one) => one.number)).size;
  if (turn.state === "complete") return `The answer is there, with ${sources === 1 ? "1 source" : `${sources} sources`}`;
  return remark(turn);
}

new View();
