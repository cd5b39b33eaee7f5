// The plugin as it runs: what its parts share, and what begins and ends with it.
import { FileSystemAdapter, MarkdownView, normalizePath, Notice, TFile, type App, type WorkspaceLeaf } from "obsidian";
import { cancelled, reason } from "khojd-common/channel";
import { known, type Known } from "khojd-common/filters";
import { insertion } from "khojd-common/links";
import { notes, type Note } from "khojd-common/mentions";
import type { Hit, IndexStatus, Location } from "khojd-common/protocol";
import { Remembered } from "khojd-common/remembered";
import { realpath } from "node:fs/promises";

import { Bar } from "./bar";
import { CHAT, ChatView } from "./chat";
import { commands } from "./commands";
import { Connection, type State } from "./connection";
import { ask } from "./dialogs";
import { Edits } from "./edits";
import { marks } from "./mark";
import { Notes } from "./notes";
import { absolute, Paths } from "./paths";
import { host } from "./requests";
import type { Owner, Settings } from "./settings";
import { placed, SettingsPage } from "./settingspage";
import { SIMILAR, SimilarView } from "./similar";
import { STATUS, StatusView } from "./status";
import { Unsaved, type Shown } from "./unsaved";

const INDEX_IT = "Index this vault";
const NEVER = "Never for this vault";

/** All of it. Made when the plugin is loaded; `leave` ends what Obsidian does not end by itself. */
export class Khoj {
  readonly app: App;
  readonly connection: Connection;
  readonly notes: Notes;
  readonly edits: Edits;
  readonly unsaved: Unsaved;
  readonly bar: Bar;
  /** Values for the completion of filters, and the notes that a question can name. */
  readonly values: Remembered<Known>;
  readonly names: Remembered<Note[]>;
  /** What khojd said last of its index; undefined while there is no connection. */
  status: IndexStatus | undefined;
  private offered = false;
  private left = false;

  private constructor(
    readonly plugin: Owner,
    private readonly paths: Paths,
  ) {
    this.app = plugin.app;
    const manner = { place: () => placed(plugin.settings), client: `Khoj for Obsidian ${plugin.manifest.version}` };
    this.connection = new Connection(manner, host(this), (state) => { this.turned(state); });
    this.values = new Remembered(() => known(this.connection));
    this.names = new Remembered(() => notes(this.connection));
    this.notes = new Notes(this.app, paths);
    this.unsaved = new Unsaved(this.connection);
    this.edits = new Edits(this.app, paths, this.notes, (uri) => this.unsaved.current(uri));
    this.bar = new Bar(plugin.addStatusBarItem(), () => { this.attempt(this.showStatus()); });
  }

  /** Begin: views, commands and events are there at once, khojd follows when the vault is open. */
  static async begin(plugin: Owner): Promise<Khoj> {
    const { adapter } = plugin.app.vault;
    if (!(adapter instanceof FileSystemAdapter)) throw new Error("the vault is no folder on this computer");
    const base = adapter.getBasePath();
    const khoj = new Khoj(plugin, new Paths(base, await realpath(base).catch(() => base)));
    khoj.register();
    return khoj;
  }

  get settings(): Settings {
    return this.plugin.settings;
  }

  /** Leave khojd, which stays for others. */
  leave(): void {
    this.left = true;
    this.unsaved.leave();
    this.connection.close(true);
  }

  /** Attach anew, after settings have changed. */
  async reconnect(): Promise<void> {
    this.offered = false;
    this.connection.close();
    await this.connection.open();
  }

  /** Say something to the person. */
  say(text: string): void {
    if (!this.left) new Notice(`Khoj: ${text}`);
  }

  /** Say why something failed, if it does. */
  attempt(doing: Promise<unknown>): void {
    doing.catch((failure: unknown) => {
      if (!cancelled(failure)) this.say(reason(failure));
    });
  }

  /** A path of khojd's as it is shown to a person. */
  shown(path: string): string {
    return this.paths.shown(path);
  }

  /** A link to a place by its note and heading, for hover previews. */
  linktext(location: Location): string {
    const path = this.paths.inside(location.uri);
    if (path === undefined) return absolute(location.uri);
    const file = this.app.vault.getFileByPath(path);
    const headings = (file === null ? null : this.app.metadataCache.getFileCache(file))?.headings ?? [];
    const above = headings.filter((one) => one.position.start.line <= location.range.start.line).at(-1);
    return above === undefined ? path : `${path}#${above.heading.replace(/[#|^[\]\\]/g, " ").trim()}`;
  }

  /** Show what is at a place when the mouse is over an element. */
  hover(element: HTMLElement, location: Location, source: string, hoverParent: WorkspaceLeaf): void {
    element.onmouseenter = (event) => {
      const linktext = this.linktext(location);
      this.app.workspace.trigger("hover-link", { event, source, hoverParent, targetEl: element, linktext, sourcePath: "" });
    };
  }

  /** Tell khojd of the notes that are shown, as far as they are in its folders. */
  follow(): void {
    const folders = this.settings.unsaved ? (this.status?.folders ?? []) : [];
    const active = this.app.workspace.getActiveViewOfType(MarkdownView);
    const shown = this.notes.views().flatMap((view): Shown[] => {
      const path = view.file?.path;
      if (path === undefined || !folders.some((folder) => this.paths.covered(folder.path, path))) return [];
      return [[view, this.paths.uri(path)]];
    });
    // Of several views of a note the active one counts, until another is typed in.
    this.unsaved.follow(shown.sort(([one], [other]) => Number(other === active) - Number(one === active)));
  }

  /** Take what khojd says of its index. */
  take(status: IndexStatus): void {
    const known = this.status;
    this.status = status;
    this.bar.show(this.connection.state, this.connection.problem, status);
    for (const view of this.views(StatusView, STATUS)) view.changed(status);
    for (const { talk, containerEl } of this.views(ChatView, CHAT)) talk.indexed(containerEl.isShown());
    if (paths(known) !== paths(status)) this.follow();
    if (status.running === null) for (const view of this.views(SimilarView, SIMILAR)) view.again();
    this.attempt(this.offer(status));
  }

  /** Insert a link to a hit where the cursor is. */
  async insertLink(hit: Hit): Promise<void> {
    const place = this.notes.atHand();
    if (place === undefined) throw new Error("no note is open");
    this.unsaved.flush();
    const done = await this.connection.request("khoj/links/insert", insertion(hit, place.uri, place.cursor));
    if (!done.applied) throw new Error(`the link was not inserted: ${done.reason ?? ""}`);
    place.view.editor.focus();
  }

  /** Make a note where Obsidian puts new ones, or open the one that has the name. */
  async createNote(title: string, text = ""): Promise<void> {
    const name = title.replace(/[\\/:*?"<>|#^[\]]/g, " ").replace(/\s+/g, " ").replace(/^[.\s]+/, "").trim().slice(0, 120);
    if (name === "") throw new Error("this is no name for a note");
    const { fileManager, vault, workspace } = this.app;
    const folder = fileManager.getNewFileParent(this.notes.atHand()?.file.path ?? "");
    const free = (end: string) => normalizePath(`${folder.path}/${name}${end}.md`);
    let path = free("");
    for (let count = 2; text !== "" && vault.getAbstractFileByPath(path) !== null; count++) path = free(` ${count}`);
    const there = vault.getAbstractFileByPath(path);
    await workspace.getLeaf(false).openFile(there instanceof TFile ? there : await vault.create(path, text));
  }

  /** Where khojd puts new notes of this vault: that of a day, and others; empty for where their template says. */
  folders(): { day: string; others: string } {
    const { paths } = this;
    const known = (this.status?.folders ?? []).map((folder) => folder.path);
    const day = known.find((path) => paths.is(path)) ?? known.find((path) => paths.within(path)) ?? paths.base;
    return { day, others: known[0] !== undefined && paths.is(known[0]) ? "" : paths.base };
  }

  /** Have khojd look at paths again, or at everything. */
  async update(paths: string[]): Promise<void> {
    const did = await this.connection.request("khoj/index/update", { paths });
    const counts = [`${did.added} added`, `${did.changed} changed`, `${did.removed} removed`, `${did.failed} failed`];
    this.say(counts.filter((part) => !part.startsWith("0 ")).join(", ") || "nothing has changed");
  }

  /** Pause the index, or let it go on. */
  async pause(): Promise<void> {
    const now = this.status ?? (await this.connection.request("khoj/index/status", {}));
    this.take(await this.connection.request(now.paused ? "khoj/index/resume" : "khoj/index/pause", {}));
  }

  async showStatus(): Promise<void> {
    await this.shownView(STATUS, () => this.app.workspace.getLeaf("tab"));
    if (this.connection.state !== "ready") await this.connection.open();
  }

  async similar(): Promise<SimilarView | undefined> {
    return ofClass(await this.shownView(SIMILAR, () => this.app.workspace.getRightLeaf(false)), SimilarView);
  }

  async chat(): Promise<ChatView | undefined> {
    return ofClass(await this.shownView(CHAT, () => this.app.workspace.getRightLeaf(false)), ChatView);
  }

  /** Ask whether the vault is to be indexed, also when it was declined before. */
  async addVault(): Promise<void> {
    const text =
      "The notes of this vault are read by khojd for search and for answers. They stay on this machine, unless you configure a model server " +
      "elsewhere: then the passages for an answer are sent to it. khojd remembers the folder.";
    const answer = await ask(this.app, text, [INDEX_IT, "Not now", NEVER], "Index this vault?");
    if (answer === INDEX_IT) await this.connection.request("khoj/index/add", { path: this.paths.base, persist: true });
    if (answer === INDEX_IT || answer === NEVER) {
      this.settings.declined = answer === NEVER;
      await this.plugin.keep(false);
    }
  }

  /** Ask once a session, unless the vault is indexed or that was declined. */
  private async offer(status: IndexStatus): Promise<void> {
    if (this.offered || this.settings.declined || status.folders.some((folder) => this.paths.within(folder.path))) return;
    this.offered = true;
    await this.addVault();
  }

  private register(): void {
    const { plugin, app } = this;
    const { workspace, vault } = app;
    plugin.registerView(CHAT, (leaf) => new ChatView(leaf, this));
    plugin.registerView(SIMILAR, (leaf) => new SimilarView(leaf, this));
    plugin.registerView(STATUS, (leaf) => new StatusView(leaf, this));
    plugin.registerHoverLinkSource(CHAT, { display: "Khoj chat", defaultMod: false });
    plugin.registerHoverLinkSource(SIMILAR, { display: "Khoj similar notes", defaultMod: true });
    plugin.registerEditorExtension(marks);
    plugin.addSettingTab(new SettingsPage(app, plugin));
    commands(this);
    plugin.registerEvent(workspace.on("active-leaf-change", () => { this.follow(); }));
    plugin.registerEvent(workspace.on("layout-change", () => { this.follow(); })); // a pane was opened or closed, by whatever way
    plugin.registerEvent(workspace.on("file-open", () => {
      this.follow();
      const view = workspace.getActiveViewOfType(MarkdownView);
      if (view !== null) this.unsaved.changed(view);
    }));
    plugin.registerEvent(workspace.on("editor-change", (_editor, view) => {
      if (view instanceof MarkdownView) this.unsaved.changed(view);
    }));
    plugin.registerEvent(vault.on("rename", () => { this.follow(); })); // another address of the same note
    plugin.registerEvent(vault.on("modify", (file) => { this.unsaved.saved(this.paths.uri(file.path)); }));
    workspace.onLayoutReady(() => {
      if (this.settings.atStart && !this.left) void this.connection.open().catch(() => undefined); // the status bar says why
    });
  }

  private turned(state: State): void {
    if (state !== "ready") this.status = undefined;
    this.bar.show(state, this.connection.problem, this.status);
    if (state === "off") for (const view of this.views(StatusView, STATUS)) view.changed(undefined);
    if (state !== "ready") return;
    this.unsaved.restore();
    for (const view of this.views(ChatView, CHAT)) view.connected();
    void this.connection.request("khoj/index/status", {}).then((status) => { this.take(status); }, () => undefined); // then it is lost again
  }

  private views<T>(kind: new (...given: never[]) => T, type: string): T[] {
    return this.app.workspace.getLeavesOfType(type).flatMap((leaf) => ofClass(leaf, kind) ?? []);
  }

  private async shownView(type: string, fresh: () => WorkspaceLeaf | null): Promise<WorkspaceLeaf | null> {
    const { workspace } = this.app;
    const leaf = workspace.getLeavesOfType(type)[0] ?? fresh();
    if (leaf === null) return null;
    if (leaf.getViewState().type !== type) await leaf.setViewState({ type, active: true });
    await workspace.revealLeaf(leaf);
    return leaf;
  }
}

/** The folders of an index, to be compared. */
function paths(status: IndexStatus | undefined): string {
  return JSON.stringify(status?.folders.map((folder) => folder.path));
}

function ofClass<T>(leaf: WorkspaceLeaf | null, kind: new (...given: never[]) => T): T | undefined {
  const view: unknown = leaf?.view;
  return view instanceof kind ? view : undefined;
}
