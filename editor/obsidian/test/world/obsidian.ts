// The module "obsidian" for tests: obsidian-test-mocks, and in place of what those leave out, what the app does.
import * as mocks from "obsidian-test-mocks/obsidian";
import type { Extension } from "@codemirror/state";

import { Editor } from "./editor";
import { icon } from "./icons";
import { renderMarkdown } from "./markdown";

export * from "obsidian-test-mocks/obsidian";

interface Key {
  modifiers: readonly string[];
  key: string;
  run: (event: KeyboardEvent) => unknown;
}

/** Keys of a window. */
export class Scope {
  private readonly keys: Key[] = [];

  register(modifiers: string[], key: string, run: (event: KeyboardEvent) => unknown): void {
    this.keys.push({ modifiers, key, run });
  }

  handle(event: KeyboardEvent): void {
    const held = [event.ctrlKey ? "Ctrl" : "", event.shiftKey ? "Shift" : "", event.altKey ? "Alt" : "", event.metaKey ? "Meta" : ""];
    const pressed = held.filter((one) => one !== "").sort().join();
    for (const { modifiers, key, run } of this.keys) {
      const wanted = modifiers.map((one) => (one === "Mod" ? "Ctrl" : one)).sort().join();
      if (event.key.toLowerCase() !== key.toLowerCase() || wanted !== pressed) continue;
      if (run(event) === false) event.preventDefault();
      return;
    }
  }
}

/** A window over the others, until it is closed. */
export class Modal {
  static readonly open: Modal[] = [];
  readonly scope = new Scope();
  readonly containerEl = createDiv({ cls: "modal-container" });
  readonly modalEl = this.containerEl.createDiv({ cls: "modal", attr: { role: "dialog" } });
  readonly closeEl = this.modalEl.createDiv({ cls: "modal-close-button" });
  readonly headerEl = this.modalEl.createDiv({ cls: "modal-header" });
  readonly titleEl = this.headerEl.createDiv({ cls: "modal-title" });
  readonly contentEl = this.modalEl.createDiv({ cls: "modal-content" });

  constructor(readonly app: unknown) {}

  open(): void {
    document.body.append(this.containerEl);
    Modal.open.push(this);
    this.containerEl.addEventListener("keydown", (event) => {
      if (event.key === "Escape") this.close();
      else this.scope.handle(event);
    });
    this.onOpen();
  }

  close(): void {
    if (!Modal.open.includes(this)) return;
    Modal.open.splice(Modal.open.indexOf(this), 1);
    this.containerEl.remove();
    this.onClose();
  }

  onOpen(): void {
    return;
  }

  onClose(): void {
    return;
  }

  setTitle(title: string): this {
    this.titleEl.setText(title);
    return this;
  }
}

/** Says something in a corner. */
export class Notice {
  static readonly said: string[] = [];

  constructor(readonly message: string) {
    Notice.said.push(message);
  }
}

export const MarkdownRenderer = {
  /** What was rendered. */
  rendered: [] as string[],
  async render(_app: unknown, text: string, into: HTMLElement): Promise<void> {
    MarkdownRenderer.rendered.push(text);
    await Promise.resolve();
    renderMarkdown(text, into);
  },
};

export function setIcon(parent: HTMLElement, name: string): void {
  parent.replaceChildren(icon(name));
}

export function setTooltip(element: HTMLElement, text: string): void {
  element.setAttribute("aria-label", text);
}

// The mocks' buttons and fields do not hear what a person does to them.
mocks.ButtonComponent.prototype.onClick = function (run) {
  this.buttonEl.addEventListener("click", run);
  return this;
};
mocks.AbstractTextComponent.prototype.onChange = function (run) {
  const inputEl = this.inputEl as HTMLInputElement;
  inputEl.addEventListener("input", () => {
    run(inputEl.value);
  });
  return this;
};

/** A view in a pane, with its header. */
export abstract class ItemView extends mocks.ItemView {
  readonly actions: HTMLElement;

  constructor(leaf: mocks.WorkspaceLeaf) {
    super(leaf);
    this.actions = this.containerEl.createDiv({ cls: "view-actions" });
    this.containerEl.addClass("workspace-leaf-content");
    this.contentEl.addClass("view-content");
  }

  override addAction(name: string, title: string, run: (event: MouseEvent) => unknown): HTMLElement {
    const button = this.actions.createEl("button", { cls: "clickable-icon view-action", attr: { "aria-label": title } });
    setIcon(button, name);
    button.onclick = run;
    return button;
  }
}

/** A note in an editor. */
export class MarkdownView extends ItemView {
  readonly editor: Editor;

  constructor(
    leaf: mocks.WorkspaceLeaf,
    readonly file: mocks.TFile,
    text: string,
    extensions: readonly Extension[],
  ) {
    super(leaf);
    this.contentEl.addClass("markdown-source-view");
    this.editor = new Editor(this.contentEl, text, extensions, () => {
      this.app.workspace.trigger("editor-change", this.editor, this);
    });
  }

  override getViewType(): string {
    return "markdown";
  }

  override getDisplayText(): string {
    return this.file.basename;
  }

  getMode(): string {
    return "source";
  }

  /** What Obsidian does two seconds after the last key. */
  async save(): Promise<void> {
    await this.app.vault.modify(this.file, this.editor.getValue());
  }
}

/** A command of the plugin; one with `checkCallback` is there only when that says so. */
export interface Offered {
  id: string;
  name: string;
  callback?: () => void;
  checkCallback?: (checking: boolean) => boolean;
  hotkeys?: unknown;
}

/** What the plugin has added to the app, and its stored settings. */
export interface Added {
  commands: Map<string, Offered>;
  views: Map<string, (leaf: mocks.WorkspaceLeaf) => mocks.View>;
  extensions: Extension[];
  statusBar: HTMLElement;
  data: unknown;
}

/** A plugin, which adds to the app what it says, and takes it with it. */
export class Plugin extends mocks.Plugin {
  private get added(): Added {
    return (this.app as unknown as { added: Added }).added;
  }

  override addCommand<T extends { id: string }>(command: T): T {
    this.added.commands.set(command.id, command as never);
    this.register(() => { this.added.commands.delete(command.id); });
    return command;
  }

  /** As Obsidian does it since 1.13, which asks a page for what is in it. */
  override addSettingTab(...[tab]: Parameters<mocks.Plugin["addSettingTab"]>): void {
    super.addSettingTab(tab);
    tab.update();
  }

  override addStatusBarItem(): HTMLElement {
    const item = this.added.statusBar.createDiv({ cls: "status-bar-item" });
    this.register(() => { item.remove(); });
    return item;
  }

  override registerView(type: string, make: never): void {
    this.added.views.set(type, make);
    this.register(() => { this.added.views.delete(type); });
  }

  override registerEditorExtension(extension: never): void {
    this.added.extensions.push(extension);
    this.register(() => { this.added.extensions.splice(this.added.extensions.indexOf(extension), 1); });
  }

  override loadData(): Promise<unknown> {
    return Promise.resolve(this.added.data);
  }

  override saveData(data: unknown): Promise<void> {
    this.added.data = structuredClone(data);
    return Promise.resolve();
  }
}
