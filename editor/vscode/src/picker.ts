// A list of places below a line to type in: searches, greps, and what is like a note.
import { completed, completions, needsKnown, UNKNOWN, type FilterCompletions, type FilterItem, type Known } from "khojd-common/filters";
import { insertion, copied } from "khojd-common/links";
import * as vscode from "vscode";

import type { Host } from "./host";
import { addressOf, label, note, positionOf, type Found } from "./hits";
import * as settings from "./settings";
import { Before, show } from "./show";

/** What finds something for what is typed, and says so by `Picker.found` and `Picker.failed`. */
export interface Source {
  ask(text: string): void;
  /** Ask for the same again. */
  again(): void;
  cancel(): void;
}

export interface PickerOptions {
  title: string;
  placeholder: string;
  /** What is typed to begin with. */
  text?: string;
  /** Values for the completion of filters; none where what is typed is no query. */
  known?: () => Promise<Known>;
  /** What is done with the choice; else it is shown. */
  then?: (found: Found) => Promise<unknown>;
}

export interface HitItem extends vscode.QuickPickItem {
  found?: Found;
  filter?: FilterItem;
}

type List = vscode.QuickPick<HitItem> & { sortByLabel?: boolean };

const SIDE: vscode.QuickInputButton = { iconPath: new vscode.ThemeIcon("split-horizontal"), tooltip: "Open to the Side (Ctrl+Enter)" };
const LINK: vscode.QuickInputButton = { iconPath: new vscode.ThemeIcon("link"), tooltip: "Insert a Link (Alt+Enter)" };
const COPY: vscode.QuickInputButton = { iconPath: new vscode.ThemeIcon("copy"), tooltip: "Copy a Link" };
const LIKE: vscode.QuickInputButton = { iconPath: new vscode.ThemeIcon("references"), tooltip: "Find Similar" };
const MOST_FILTERS = 6;
const TYPING = 200; // milliseconds for which a preview waits longer where nobody has moved in the list
/** For `when` of key bindings. */
const CONTEXT = "khoj.searching";

export class Picker {
  /** The one that is open. */
  static current: Picker | undefined;

  private readonly list: List;
  private readonly before = new Before();
  private readonly editor = vscode.window.activeTextEditor;
  private readonly ends: { dispose(): void }[] = [];
  private source: Source | undefined;
  private hits: HitItem[] = [];
  private filters: HitItem[] = [];
  private completing: FilterCompletions | undefined;
  private known: Known | undefined;
  private text: string | undefined;
  private moved = false;
  private chosen = false;
  private looked = false;
  private preview: ReturnType<typeof setTimeout> | undefined;
  /** What is to be looked at, and the work of showing it: one place at a time, so that a slow one does not come after the next. */
  private previewed: Found | undefined;
  private looking: Promise<unknown> = Promise.resolve();
  private readonly heard = new vscode.EventEmitter<readonly HitItem[]>();
  /** Told of the items whenever they are others. */
  readonly onItems = this.heard.event;

  constructor(private readonly host: Host, private readonly options: PickerOptions) {
    this.list = vscode.window.createQuickPick<HitItem>();
    // khojd has chosen and ordered: nothing is to be filtered or sorted by the letters of the query. No API says the second.
    this.list.sortByLabel = false;
    this.list.keepScrollPosition = true;
    this.list.title = options.title;
    this.list.placeholder = options.placeholder;
    this.list.value = options.text ?? "";
    this.ends.push(
      this.heard,
      this.list,
      this.list.onDidChangeValue((text) => { this.typed(text); }),
      this.list.onDidChangeActive((items) => { this.selected(items[0]); }),
      this.list.onDidAccept(() => { this.accept(); }),
      this.list.onDidTriggerItemButton(({ item, button }) => { this.press(item, button); }),
      this.list.onDidHide(() => void this.end()),
      host.session.onState((state) => { if (state.kind === "ready") this.source?.again(); }),
    );
  }

  /** Show the list, and ask `source` about what is typed. */
  show(source: Source): void {
    Picker.current = this;
    void vscode.commands.executeCommand("setContext", CONTEXT, true);
    this.source = source;
    this.list.show();
    if (this.list.value !== "") this.typed(this.list.value);
  }

  /** Take what was found by now. */
  found(hits: readonly Found[], whole: boolean, notes: readonly string[] = []): void {
    this.list.busy = !whole;
    this.hits = hits.map((found) => ({
      label: escaped(label(found)),
      description: escaped([note(found), found.about].filter((part) => part !== "").join("  ")),
      detail: escaped(found.snippet),
      alwaysShow: true,
      buttons: [SIDE, LINK, COPY, LIKE],
      found,
    }));
    this.list.title = [this.options.title, ...notes].join(": ");
    this.fill();
  }

  /** Say why nothing was found. */
  failed(message: string): void {
    this.list.busy = false;
    this.hits = [{ label: `$(warning) ${escaped(message)}`, alwaysShow: true }];
    this.fill();
  }

  /** Type something in place of what is there. */
  type(text: string): void {
    this.list.value = text;
    this.typed(text);
  }

  get items(): readonly HitItem[] {
    return this.list.items;
  }

  /** Whether more may come for what is typed. */
  get busy(): boolean {
    return this.list.busy;
  }

  get selection(): HitItem | undefined {
    return this.list.activeItems[0];
  }

  /** Put the filter that is offered first, or the one that is selected, in place of what is typed of it. */
  complete(): void {
    const item = this.selection?.filter ?? this.filters[0]?.filter;
    if (item === undefined || this.completing === undefined) return;
    this.type(completed(this.list.value, this.completing, item).text);
  }

  async openBeside(item = this.selection): Promise<void> {
    const found = item?.found;
    if (found !== undefined) await this.leave(() => show(found.location, { beside: true, marks: found.marks }));
  }

  async insertLink(item = this.selection): Promise<void> {
    const found = item?.found;
    if (found !== undefined) await this.leave(() => insertLink(this.host, found, this.editor));
  }

  async copyLink(item = this.selection): Promise<void> {
    const found = item?.found;
    if (found !== undefined) await vscode.env.clipboard.writeText(copied(found));
  }

  async similar(item = this.selection): Promise<void> {
    const found = item?.found;
    if (found === undefined) return;
    const { uri, range } = found.location;
    await this.leave(() => this.host.similar({ textDocument: { uri }, range }, label(found)));
  }

  private typed(text: string): void {
    if (text === this.text) return; // VS Code tells of what was set by us, too, and then the answer may be there
    if (text.trim() !== this.text?.trim()) this.list.busy = text.trim() !== ""; // for a space more nothing is asked
    this.text = text;
    this.moved = false;
    this.offer(text);
    this.source?.ask(text);
  }

  /** Show what the last word can become. */
  private offer(text: string): void {
    const { known } = this.options;
    if (known === undefined) return;
    if (this.known === undefined && needsKnown(text)) {
      this.known = UNKNOWN;
      known().then(
        (values) => {
          this.known = values;
          if (Picker.current === this) this.offer(this.list.value);
        },
        () => { this.known = undefined; },
      );
    }
    this.completing = completions(text, text.length, this.known ?? UNKNOWN);
    const { items, start, end } = this.completing;
    const named = start > 0 && /[:<>=,"]/.test(text[start - 1] ?? "");
    const offered = named || end - start > 1 ? items.slice(0, MOST_FILTERS) : []; // one letter is hardly meant to be a filter
    const had = this.filters.length > 0;
    this.filters = offered.map((filter, at) => ({
      label: `$(filter) ${escaped(filter.text)}`,
      description: at === 0 ? `${filter.detail} (Tab)` : filter.detail,
      alwaysShow: true,
      filter,
    }));
    if (had || this.filters.length > 0) this.fill();
  }

  private fill(): void {
    const kept = this.moved ? this.selection : undefined;
    const items = [...this.filters, ...this.hits];
    this.list.items = items;
    const same = kept === undefined ? undefined : items.find((item) => sameItem(item, kept));
    const active = same ?? this.hits.find((item) => item.found !== undefined) ?? items[0];
    if (active !== undefined) this.list.activeItems = [active];
    this.heard.fire(items);
  }

  private selected(item: HitItem | undefined): void {
    clearTimeout(this.preview);
    if (item !== undefined && item !== this.list.items.find((one) => one.found !== undefined)) this.moved = true;
    const found = item?.found;
    const { preview } = settings.search();
    if (found === undefined || preview < 0) return;
    // Opening a note is work for the editor and for khojd, which would hold up the next key of one who types.
    const rest = this.moved ? preview : preview + TYPING;
    this.preview = setTimeout(() => {
      this.looked = true;
      this.previewed = found;
      this.looking = this.looking.then(() => this.look(found));
    }, rest);
  }

  private async look(found: Found): Promise<void> {
    if (this.previewed !== found) return;
    await show(found.location, { look: true, marks: found.marks }).catch(() => undefined); // a note that is gone is not shown
  }

  /** Look at nothing more; the promise is of what was still on its way. */
  private still(): Promise<unknown> {
    clearTimeout(this.preview);
    this.previewed = undefined;
    return this.looking;
  }

  private accept(): void {
    const item = this.selection;
    if (item?.filter !== undefined) {
      this.complete();
      return;
    }
    const found = item?.found;
    if (found === undefined) return;
    const then = this.options.then ?? ((one: Found) => show(one.location, { marks: one.marks }));
    void this.leave(() => then(found), this.options.then !== undefined);
  }

  private press(item: HitItem, button: vscode.QuickInputButton): void {
    const work = button === SIDE ? this.openBeside(item)
      : button === LINK ? this.insertLink(item)
      : button === COPY ? this.copyLink(item) : this.similar(item);
    void this.host.run(() => work);
  }

  /** Close the list, and do something; `back` first shows what was in the editor before. */
  private async leave(work: () => Promise<unknown>, back = true): Promise<void> {
    this.chosen = true;
    this.list.hide();
    await this.host.run(async () => {
      await this.still();
      if (back && this.looked) await this.before.restore();
      await work();
    });
  }

  private async end(): Promise<void> {
    const still = this.still();
    this.source?.cancel();
    if (Picker.current === this) {
      Picker.current = undefined;
      void vscode.commands.executeCommand("setContext", CONTEXT, false);
    }
    for (const end of this.ends) end.dispose();
    await still;
    if (!this.chosen && this.looked) await this.before.restore();
  }
}

/** Have khojd insert a link to what was found at the cursor of an editor. */
export async function insertLink(host: Host, found: Found, editor = vscode.window.activeTextEditor): Promise<void> {
  if (editor?.document.uri.scheme !== "file") throw new Error("a link is inserted into a note that is open in the editor: open one first");
  const params = insertion(found, addressOf(editor.document.uri), positionOf(editor.selection.active));
  const result = await host.channel.request("khoj/links/insert", params);
  if (!result.applied) throw new Error(result.reason ?? "the link was not inserted");
}

function sameItem(one: HitItem, other: HitItem): boolean {
  if (one.filter !== undefined || other.filter !== undefined) return one.filter?.text === other.filter?.text;
  const [a, b] = [one.found?.location, other.found?.location];
  return a !== undefined && a.uri === b?.uri && a.range.start.line === b.range.start.line;
}

/** Text of notes in a label: `$(name)` there is no icon. */
function escaped(text: string): string {
  return text.replace(/\$\(/g, "$\u200b(");
}
