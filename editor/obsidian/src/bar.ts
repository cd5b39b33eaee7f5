// The state of the index in the status bar.
import { setIcon, setTooltip } from "obsidian";
import type { IndexStatus } from "khojd-common/protocol";
import { line } from "khojd-common/status";

import type { State } from "./connection";

const CONNECTION: Readonly<Record<State, string>> = {
  connecting: "connecting",
  off: "not connected",
  ready: "connected",
  waiting: "connecting again",
};

/** An icon, and words where there is something to say. */
export class Bar {
  private readonly text: HTMLElement;
  private status: IndexStatus | undefined;
  private state: State = "off";
  private problem = "";
  private doing = "";

  constructor(
    private readonly element: HTMLElement,
    clicked: () => void,
  ) {
    element.addClass("khoj-bar-item", "mod-clickable");
    element.setAttribute("role", "button");
    element.setAttribute("tabindex", "0");
    setIcon(element.createSpan({ cls: "khoj-bar-icon" }), "book-open-check");
    this.text = element.createSpan({ cls: "khoj-bar-text" });
    element.onclick = clicked;
    element.onkeydown = (event) => {
      if (event.key === "Enter" || event.key === " ") clicked();
    };
    this.draw();
  }

  /** What khojd said last; undefined when there is no connection. */
  show(state: State, problem: string, status: IndexStatus | undefined): void {
    this.state = state;
    this.problem = problem;
    this.status = status;
    if (state !== "ready") this.doing = "";
    this.draw();
  }

  /** Work that takes long, in words; empty when it is done. */
  work(text: string): void {
    this.doing = text;
    this.draw();
  }

  private draw(): void {
    const now = this.status === undefined ? undefined : line(this.status);
    const text = now?.text ?? (this.state === "ready" ? "" : this.problem === "" ? CONNECTION[this.state] : "not connected");
    const kind = now?.kind ?? (this.problem === "" ? "off" : "problem");
    this.text.setText(text === "" ? "Khoj" : `Khoj: ${text}`);
    this.element.dataset.kind = kind;
    const detail = [now?.detail ?? (this.problem === "" ? CONNECTION[this.state] : this.problem), this.doing];
    setTooltip(this.element, `khojd: ${detail.filter((part) => part !== "").join("\n")}\nClick for the files and what can be done`, { placement: "top" });
  }
}
