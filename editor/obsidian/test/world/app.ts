// As much of Obsidian as a plugin sees: a vault on the disk, panes, commands.
import * as mocks from "obsidian-test-mocks/obsidian";

import { MarkdownView, Modal, Notice, type Added, type Offered, type Plugin } from "./obsidian";

/** The disk below a vault. Paths are those of the vault. */
export interface Disk {
  base: string;
  read(path: string): Promise<string>;
  write(path: string, text: string): Promise<void>;
  mkdir(path: string): Promise<void>;
  rename(path: string, to: string): Promise<void>;
}

class Adapter extends mocks.FileSystemAdapter {
  constructor(private readonly disk: Disk) {
    super(disk.base);
  }

  override read(path: string): Promise<string> {
    return this.disk.read(path);
  }

  override write(path: string, text: string): Promise<void> {
    return this.disk.write(path, text);
  }

  override mkdir(path: string): Promise<void> {
    return this.disk.mkdir(path);
  }

  override rename(path: string, to: string): Promise<void> {
    return this.disk.rename(path, to);
  }
}

/** What the app does with a view, and a plugin does not. */
type Opened = mocks.View & { onOpen(): Promise<void>; onClose(): Promise<void> };

/** A pane. */
class Leaf {
  readonly containerEl: HTMLElement;
  view: mocks.View | null = null;
  hoverPopover = null;
  private type = "empty";

  constructor(readonly app__: World, parent: HTMLElement) {
    this.containerEl = parent.createDiv({ cls: "workspace-leaf" });
  }

  async openFile(file: mocks.TFile): Promise<void> {
    if (this.view instanceof MarkdownView && this.view.file === file) return; // it keeps what is not saved yet
    await this.show(new MarkdownView(this.asLeaf, file, (await this.app__.vault.read(file)).replace(/\r\n/g, "\n"), this.app__.added.extensions), "markdown");
    this.app__.workspace.setActiveLeaf(this);
    this.app__.workspace.trigger("file-open", file);
  }

  async setViewState({ type }: { type: string }): Promise<void> {
    const make = this.app__.added.views.get(type);
    if (make === undefined) throw new Error(`no plugin has a view ${type}`);
    await this.show(make(this.asLeaf), type);
  }

  getViewState(): { type: string } {
    return { type: this.type };
  }

  async detach(): Promise<void> {
    await (this.view as Opened | null)?.onClose();
    this.view?.unload();
    this.containerEl.remove();
    this.app__.workspace.forget(this);
  }

  private get asLeaf(): mocks.WorkspaceLeaf {
    return this as unknown as mocks.WorkspaceLeaf;
  }

  private async show(view: mocks.View, type: string): Promise<void> {
    await (this.view as Opened | null)?.onClose();
    this.view?.unload();
    this.view = view;
    this.type = type;
    this.containerEl.replaceChildren(view.containerEl);
    view.containerEl.dataset.type = type;
    view.containerEl.dataset.title = view.getDisplayText();
    view.load();
    await (view as Opened).onOpen();
  }
}

/** The panes. */
class Workspace extends mocks.Events {
  readonly containerEl = createDiv({ cls: "workspace" });
  readonly root = this.containerEl.createDiv({ cls: "mod-root" });
  readonly right = this.containerEl.createDiv({ cls: "mod-right-split" });
  readonly followed: string[] = [];
  activeLeaf: Leaf | null = null;
  private leaves: Leaf[] = [];

  constructor(private readonly world: World) {
    super();
  }

  getLeaf(fresh: boolean | string): Leaf {
    const there = this.leaves.find((leaf) => leaf.containerEl.parentElement === this.root);
    return fresh === false && there !== undefined ? there : this.add(this.root);
  }

  getRightLeaf(): Leaf {
    return this.add(this.right);
  }

  getMostRecentLeaf(): Leaf | null {
    return this.leaves.filter((leaf) => leaf.containerEl.parentElement === this.root).at(-1) ?? null;
  }

  getLeavesOfType(type: string): Leaf[] {
    return this.leaves.filter((leaf) => leaf.getViewState().type === type);
  }

  getActiveViewOfType<T>(type: new (...given: never[]) => T): T | null {
    const view: unknown = this.activeLeaf?.view;
    return view instanceof type ? view : null;
  }

  setActiveLeaf(leaf: Leaf): void {
    this.activeLeaf = leaf;
    this.trigger("active-leaf-change", leaf);
  }

  async revealLeaf(leaf: Leaf): Promise<void> {
    this.setActiveLeaf(leaf);
    await Promise.resolve();
  }

  async openLinkText(link: string): Promise<void> {
    this.followed.push(link);
    const file = this.world.metadataCache.getFirstLinkpathDest(link.replace(/#.*/, ""), "");
    if (file !== null) await this.getLeaf(false).openFile(file);
  }

  onLayoutReady(run: () => void): void {
    run();
  }

  requestSaveLayout(): void {
    return;
  }

  forget(leaf: Leaf): void {
    this.leaves = this.leaves.filter((one) => one !== leaf);
    if (this.activeLeaf === leaf) this.activeLeaf = null;
    this.trigger("layout-change");
  }

  async clear(): Promise<void> {
    for (const leaf of [...this.leaves]) await leaf.detach();
  }

  private add(parent: HTMLElement): Leaf {
    const leaf = new Leaf(this.world, parent);
    this.leaves.push(leaf);
    return leaf;
  }
}

type Main = new (app: unknown, manifest: unknown) => Plugin;

/** An Obsidian with a plugin in it. */
export class World {
  readonly vault: mocks.Vault;
  readonly fileManager: mocks.FileManager;
  readonly metadataCache: mocks.MetadataCache;
  readonly workspace: Workspace;
  readonly added: Added;
  plugin: Plugin | undefined;

  constructor(disk: Disk, files: Readonly<Record<string, string>>, data: unknown) {
    const base = mocks.App.create__(new Adapter(disk).asOriginalType__(), "test");
    this.vault = base.vault;
    this.fileManager = base.fileManager;
    this.metadataCache = base.metadataCache;
    this.workspace = new Workspace(this);
    const statusBar = createDiv({ cls: "status-bar" });
    this.added = { commands: new Map(), views: new Map(), extensions: [], statusBar, data };
    document.body.append(this.workspace.containerEl, statusBar);
    for (const [path, text] of Object.entries(files)) {
      this.vault.setVaultAbstractFile__(path, mocks.TFile.create__(this.vault, path));
      this.metadataCache.cache__.set(path, { headings: headings(text) } as never);
    }
  }

  /** Load a plugin's class. */
  async load(main: Main, manifest: unknown): Promise<void> {
    this.plugin = new main(this, manifest);
    this.plugin.loaded__ = true;
    await (this.plugin as unknown as { onload(): Promise<void> }).onload();
  }

  /** Take the plugin away. */
  async unload(): Promise<void> {
    await this.workspace.clear();
    this.plugin?.unload();
    for (const modal of [...Modal.open]) modal.close();
  }

  /** Run a command. */
  run(id: string): void {
    if (!this.offers(id)) throw new Error(`the command ${id} is not there now`);
    const { callback, checkCallback } = this.command(id);
    callback?.();
    checkCallback?.(false);
  }

  /** Whether a command can be chosen now. */
  offers(id: string): boolean {
    return this.command(id).checkCallback?.(true) ?? true;
  }

  /** Open a note of the vault, where the last one was or in a pane of its own. */
  async note(path: string, fresh = false): Promise<MarkdownView> {
    const file = this.vault.getFileByPath(path);
    if (file === null) throw new Error(`no note ${path}`);
    const leaf = this.workspace.getLeaf(fresh);
    await leaf.openFile(file);
    return leaf.view as MarkdownView;
  }

  /** Close the pane of a note. */
  close(note: MarkdownView): Promise<void> {
    return (note.leaf as unknown as Leaf).detach();
  }

  /** The note that is shown. */
  get shown(): MarkdownView | null {
    const leaf = this.workspace.getMostRecentLeaf();
    return leaf?.view instanceof MarkdownView ? leaf.view : null;
  }

  /** The window in front. */
  get modal(): Modal | undefined {
    return Modal.open.at(-1);
  }

  get said(): string[] {
    return Notice.said;
  }

  private command(id: string): Offered {
    const command = this.added.commands.get(id);
    if (command === undefined) throw new Error(`no command ${id}`);
    return command;
  }
}

function headings(text: string): unknown[] {
  return text.split("\n").flatMap((line, number) => {
    const heading = /^#+ (.*)/.exec(line)?.[1];
    return heading === undefined ? [] : [{ heading, position: { start: { line: number } } }];
  });
}
