// All conversations, from whichever editor.
import type { Listed, ToHost } from "../chat/messages";
import { element, sign } from "./dom";

const PAUSE = 150; // milliseconds without a key before it is searched

export class History {
  readonly root: HTMLElement;
  private readonly search = element("input", { type: "search", "aria-label": "Search conversations", placeholder: "Search conversations" });
  private readonly problem = element("p", { class: "problem" });
  private readonly list = element("ul", { class: "conversations", "aria-label": "Conversations" });
  private timer = 0;

  constructor(private readonly post: (message: ToHost) => void, private readonly closed: () => void) {
    this.search.addEventListener("input", () => {
      clearTimeout(this.timer);
      this.timer = window.setTimeout(() => { this.ask(); }, PAUSE);
    });
    this.root = element("section", { class: "history", "aria-label": "Conversations", hidden: true, on: { keydown: (event) => { this.key(event); } } },
      element("div", { class: "history-head" }, this.search, sign("close", "Back to the conversation", () => { this.close(); })),
      this.problem,
      this.list);
  }

  get open(): boolean {
    return !this.root.hidden;
  }

  show(): void {
    this.root.hidden = false;
    this.ask();
    this.search.focus();
  }

  close(): void {
    this.root.hidden = true;
    this.closed();
  }

  /** Take the conversations as they are now. */
  fill(conversations: readonly Listed[], problem: string): void {
    this.problem.textContent = problem;
    this.problem.hidden = problem === "";
    const focused = document.activeElement?.closest<HTMLElement>("li[data-id]")?.dataset.id;
    this.list.replaceChildren(...conversations.map((one) => this.item(one)));
    if (conversations.length === 0) this.list.append(element("li", { class: "aside" }, "No conversations"));
    if (focused !== undefined) this.focusNear(focused);
  }

  private item(one: Listed): HTMLElement {
    const act = (type: "rename" | "export" | "delete") => () => { this.post({ type, id: one.id }); };
    const turns = one.turns === 1 ? "1 question" : `${one.turns} questions`;
    return element("li", { "data-id": one.id },
      element("button", {
        type: "button",
        class: "open",
        on: {
          click: () => {
            this.post({ type: "open", id: one.id });
            this.close();
          },
        },
      }, element("span", { class: "title" }, one.title), element("span", { class: "aside" }, `${when(one.updated)} · ${turns}`)),
      sign("edit", `Rename ${one.title}`, act("rename")),
      sign("export", `Export ${one.title}`, act("export")),
      sign("delete", `Delete ${one.title}`, act("delete")));
  }

  private ask(): void {
    this.post({ type: "history", query: this.search.value.trim() });
  }

  private focusNear(id: string): void {
    const item = [...this.list.children].find((one) => one instanceof HTMLElement && one.dataset.id === id);
    (item?.querySelector<HTMLElement>("button.open") ?? this.search).focus();
  }

  private key(event: KeyboardEvent): void {
    if (event.key === "Escape") {
      event.stopPropagation();
      this.close();
    } else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      const items = [...this.list.querySelectorAll<HTMLElement>("button.open")];
      const at = items.findIndex((one) => one.parentElement?.contains(document.activeElement) === true);
      const next = at + (event.key === "ArrowDown" ? 1 : -1);
      (next < 0 ? this.search : items[Math.min(next, items.length - 1)])?.focus();
      event.preventDefault();
    }
  }
}

function when(seconds: number): string {
  const date = new Date(seconds * 1000);
  const today = new Date().toDateString() === date.toDateString();
  return today ? date.toLocaleTimeString([], { timeStyle: "short" }) : date.toLocaleDateString([], { dateStyle: "medium" });
}
