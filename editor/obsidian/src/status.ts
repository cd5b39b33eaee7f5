// What khojd knows of each file, and what can be done about it.
import { ItemView, setIcon, type WorkspaceLeaf } from "obsidian";
import { reason } from "khojd-common/channel";
import type { FileStatus, IndexStatus } from "khojd-common/protocol";
import { line, problems, STATES } from "khojd-common/status";

import type { Khoj } from "./khoj";

export const STATUS = "khoj-status";

/** Files that are shown before a person asks for more. */
const PAGE = 200;

/** Milliseconds between two looks at the files while they change. */
const REST = 500;

type State = FileStatus["state"];

const ICONS: Readonly<Record<State, string>> = { failed: "circle-x", pending: "clock", skipped: "circle-slash", indexed: "circle-check" };

/** The panel behind the status bar. */
export class StatusView extends ItemView {
  override navigation = false;
  private state: State | "" = "";
  private shown = PAGE;
  private round = 0;
  private timer: number | undefined;
  private files: readonly FileStatus[] = [];
  private readonly head: HTMLElement;
  private readonly buttons: HTMLElement;
  private readonly tabs: HTMLElement;
  private readonly field: HTMLInputElement;
  private readonly list: HTMLElement;

  constructor(
    leaf: WorkspaceLeaf,
    private readonly khoj: Khoj,
  ) {
    super(leaf);
    const { contentEl } = this;
    contentEl.addClass("khoj-status");
    this.head = contentEl.createDiv({ cls: "khoj-status-head", attr: { role: "status" } });
    this.buttons = contentEl.createDiv({ cls: "khoj-bar" });
    this.tabs = contentEl.createDiv({ cls: "khoj-tabs", attr: { role: "group", "aria-label": "States" } });
    const label = "Part of a path";
    this.field = contentEl.createEl("input", { type: "search", cls: "khoj-wide", attr: { placeholder: label, "aria-label": label } });
    this.field.oninput = () => { this.draw(); };
    this.list = contentEl.createDiv({ cls: "khoj-files", attr: { role: "list", "aria-label": "Files" } });
  }

  override getViewType(): string {
    return STATUS;
  }

  override getDisplayText(): string {
    return "Khoj index";
  }

  override getIcon(): string {
    return "database";
  }

  // eslint-disable-next-line @typescript-eslint/require-await -- Obsidian's signature
  override async onOpen(): Promise<void> {
    this.changed(this.khoj.status);
    void this.update();
  }

  // eslint-disable-next-line @typescript-eslint/require-await -- Obsidian's signature
  override async onClose(): Promise<void> {
    window.clearTimeout(this.timer);
    this.round += 1;
  }

  /** The index has changed. Many changes in a row are one look at the files. */
  changed(status: IndexStatus | undefined): void {
    this.showHead(status);
    this.timer ??= window.setTimeout(() => {
      this.timer = undefined;
      void this.update();
    }, REST);
  }

  private showHead(status: IndexStatus | undefined): void {
    const { khoj } = this;
    this.head.empty();
    this.buttons.empty();
    if (status === undefined) {
      this.head.setText(khoj.connection.problem === "" ? "Not connected" : khoj.connection.problem);
      this.button("refresh-cw", "Connect", () => khoj.connection.open());
      return;
    }
    this.head.createDiv({ cls: "khoj-status-line", text: line(status).detail.split("; ")[0] ?? "" });
    for (const problem of problems(status)) this.head.createDiv({ cls: "khoj-problem", text: problem });
    for (const folder of status.folders) {
      const watching = { events: "", polling: "looked at every now and then", off: "not watched" }[folder.watching];
      const facts = [folder.files === 1 ? "1 file" : `${folder.files} files`, watching].filter((part) => part !== "").join(", ");
      this.head.createDiv({ cls: "khoj-folder", text: `${khoj.shown(folder.path)} (${facts})` });
    }
    this.button("refresh-cw", "Update", () => khoj.update([]));
    this.button(status.paused ? "play" : "pause", status.paused ? "Resume" : "Pause", () => khoj.pause());
    this.button("download", "Export as JSON", () => this.save());
    this.tabs.empty();
    const counts: Record<State | "", number> = { "": status.indexed + status.pending + status.skipped + status.failed, ...status };
    for (const state of ["", ...STATES] as const) {
      const tab = this.tabs.createEl("button", { text: `${state === "" ? "all" : state} ${counts[state]}`, attr: { "aria-pressed": String(state === this.state) } });
      tab.toggleClass("is-active", state === this.state);
      tab.onclick = () => {
        this.state = state;
        this.shown = PAGE;
        this.showHead(khoj.status);
        void this.update();
      };
    }
  }

  private button(icon: string, text: string, run: () => Promise<unknown>): void {
    const button = this.buttons.createEl("button");
    setIcon(button.createSpan({ cls: "khoj-button-icon" }), icon);
    button.appendText(text);
    button.onclick = () => { this.khoj.attempt(run()); };
  }

  private async update(): Promise<void> {
    const round = ++this.round;
    if (this.khoj.connection.state !== "ready") return;
    try {
      const { files } = await this.khoj.connection.request("khoj/index/files", this.state === "" ? {} : { states: [this.state] });
      if (round !== this.round) return;
      const order = (file: FileStatus) => STATES.indexOf(file.state);
      this.files = [...files].sort((one, other) => order(one) - order(other) || one.path.localeCompare(other.path));
      this.draw();
    } catch (failure) {
      if (round === this.round) this.head.createDiv({ cls: "khoj-problem", text: reason(failure) });
    }
  }

  private draw(): void {
    const wanted = this.field.value.trim().toLowerCase();
    const fitting = wanted === "" ? this.files : this.files.filter((file) => file.path.toLowerCase().includes(wanted));
    this.list.empty();
    for (const file of fitting.slice(0, this.shown)) this.row(file);
    if (fitting.length > this.shown) {
      const more = this.list.createEl("button", { text: `Show more of ${fitting.length}` });
      more.onclick = () => {
        this.shown += PAGE * 5;
        this.draw();
      };
    }
    if (fitting.length === 0) this.list.createDiv({ cls: "khoj-none", text: "No files" });
  }

  private row(file: FileStatus): void {
    const row = this.list.createDiv({ cls: `khoj-file khoj-file-${file.state}`, attr: { role: "listitem" } });
    const icon = row.createSpan({ cls: "khoj-file-icon", attr: { "aria-label": file.state } });
    setIcon(icon, ICONS[file.state]);
    const text = row.createDiv({ cls: "khoj-file-text" });
    text.createDiv({ cls: "khoj-file-path", text: this.khoj.shown(file.path) });
    const why = [file.reason, ...file.notes].filter((part) => part !== "");
    for (const part of why) text.createDiv({ cls: "khoj-file-reason", text: part });
    text.createDiv({ cls: "khoj-file-facts", text: facts(file) });
    const start = { line: 0, character: 0 };
    this.action(row, "file-text", "Open", () => this.khoj.notes.open({ uri: file.uri, range: { start, end: start } }));
    this.action(row, "refresh-cw", "Read again", () => this.khoj.update([file.path]));
  }

  private action(row: HTMLElement, icon: string, label: string, run: () => Promise<unknown>): void {
    const button = row.createEl("button", { cls: "clickable-icon", attr: { "aria-label": label } });
    setIcon(button, icon);
    button.onclick = () => { this.khoj.attempt(run()); };
  }

  /** Everything that is known, as a file to be saved where a person likes. */
  private async save(): Promise<void> {
    const status = await this.khoj.connection.request("khoj/index/status", {});
    const { files } = await this.khoj.connection.request("khoj/index/files", {});
    const text = JSON.stringify({ status, files }, null, 2);
    const href = URL.createObjectURL(new Blob([text], { type: "application/json" }));
    const link = createEl("a", { href, attr: { download: "khoj-index.json" } });
    link.click();
    window.setTimeout(() => { URL.revokeObjectURL(href); }, 60_000);
  }
}

function facts({ state, entries, entriesPending, format, language, encoding, since, unsaved }: FileStatus): string {
  const parts = [
    state,
    state === "indexed" ? (entries === 1 ? "1 entry" : `${entries} entries`) : "",
    entriesPending > 0 ? `${entriesPending} not yet found by meaning` : "",
    format,
    language,
    encoding === "utf-8" ? "" : encoding,
    unsaved ? "as in the editor" : "",
    since > 0 ? `since ${new Date(since * 1000).toLocaleString()}` : "",
  ];
  return parts.filter((part) => part !== "").join(" · ");
}
