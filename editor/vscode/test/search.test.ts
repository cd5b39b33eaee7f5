import assert from "node:assert/strict";
import * as vscode from "vscode";

import { rangeOf } from "../src/hits";
import { places } from "../src/show";
import { closeAll, edit, khoj, listed, until, uri } from "./support";

function names(items: readonly vscode.QuickPickItem[]): string[] {
  return items.map((item) => item.label);
}

describe("search", () => {
  afterEach(closeAll);

  it("finds while it is typed, by words, and shows the selected hit in the editor with its words marked", async () => {
    const { picker } = await khoj();
    await vscode.commands.executeCommand("khoj.search", "oxidised leav");
    const [hit] = await listed("the section on oolong", (all) => all[0]?.label === "Tea › Oolong");
    assert.match(hit?.description ?? "", /^tea\.md:5/);
    const { document } = await until("the preview", () => {
      const active = vscode.window.activeTextEditor;
      return active?.document.uri.fsPath === uri("tea.md").fsPath ? active : undefined;
    });
    const found = hit?.found;
    assert(found !== undefined);
    const marked = places(document, rangeOf(found.location.range), found.marks);
    assert(marked.map((range) => document.getText(range)).includes("oxidised"));
    picker()?.type("kettle");
    await listed("other hits", (all) => /kettle/i.test(names(all)[0] ?? ""));
  });

  it("opens a hit at its place, on lines that are not ASCII", async () => {
    const { picker } = await khoj();
    await vscode.commands.executeCommand("khoj.search", "steamed");
    await listed("hits", (all) => all.some((item) => item.found !== undefined));
    await until("the list to be left", async () => {
      await vscode.commands.executeCommand("workbench.action.acceptSelectedQuickOpenItem");
      return picker() === undefined;
    });
    const editor = await until("the note", () => {
      const active = vscode.window.activeTextEditor;
      return active?.document.uri.fsPath === uri("tea.md").fsPath && !vscode.window.tabGroups.activeTabGroup.activeTab?.isPreview ? active : undefined;
    });
    const passage = editor.document.getText(new vscode.Range(editor.selection.start, editor.document.lineAt(3).range.end));
    assert.match(passage, /Green tea 🍵 is steamed/);
  });

  it("brings back what was in the editor when nothing is chosen", async () => {
    const { picker } = await khoj();
    await edit("todo.org", "steel");
    await vscode.commands.executeCommand("khoj.search", "oxidised");
    await until("the preview", () => vscode.window.activeTextEditor?.document.uri.fsPath === uri("tea.md").fsPath);
    await vscode.commands.executeCommand("workbench.action.closeQuickOpen");
    await until("the note of before, with the cursor where it was", () => {
      const active = vscode.window.activeTextEditor;
      if (active?.document.uri.fsPath !== uri("todo.org").fsPath) return false;
      return active.document.offsetAt(active.selection.active) === active.document.getText().indexOf("steel");
    });
    assert.equal(picker(), undefined);
    await until("its tab closed", () => vscode.window.tabGroups.all.flatMap((group) => group.tabs).length === 1);
  });

  it("completes filters", async () => {
    const { picker } = await khoj();
    await vscode.commands.executeCommand("khoj.search", "steel ");
    await until("the values", () => {
      picker()?.type("steel tag:sh");
      return picker()?.items.find((item) => item.filter?.text === "shopping");
    });
    await vscode.commands.executeCommand("khoj.picker.complete");
    await listed("the hit", (all) => all[0]?.found?.path.endsWith("todo.org") === true);
  });

  it("says what is wrong with a query", async () => {
    await vscode.commands.executeCommand("khoj.search", "date:soonish");
    await listed("the reason", (all) => (all[0]?.label ?? "").includes('soonish'));
  });

  it("searches one note or one folder", async () => {
    await edit("tea.md");
    await vscode.commands.executeCommand("khoj.searchNote");
    const { picker } = await khoj();
    picker()?.type("tea kettle steel");
    const items = await listed("hits", (all) => all[0]?.found !== undefined);
    assert.deepEqual([...new Set(items.map((item) => item.found?.path))], [uri("tea.md").fsPath]);
    await closeAll();
    await vscode.commands.executeCommand("khoj.searchFolder", uri("deep"));
    picker()?.type("kettle tea");
    const below = await listed("hits of the folder", (all) => all[0]?.found !== undefined);
    assert(below.every((item) => item.found?.path.includes("/deep/")));
  });

  it("greps", async () => {
    const { picker } = await khoj();
    await vscode.commands.executeCommand("khoj.grep", "steam(ed|ing)");
    await listed("the line", (all) => all[0]?.detail === "Green tea 🍵 is steamed.");
    picker()?.type("(");
    await listed("the reason", (all) => all[0]?.label.startsWith("$(warning)") === true);
  });

  it("inserts a link to what is chosen at the cursor", async () => {
    const editor = await edit("links.md", "END");
    await vscode.commands.executeCommand("khoj.search", "oxidised");
    await listed("the section on oolong", (all) => all[0]?.found?.headings.at(-1) === "Oolong");
    await vscode.commands.executeCommand("khoj.picker.insertLink");
    await until("the link", () => /\[\[tea#Oolong/i.test(editor.document.getText()) || editor.document.getText().includes('(tea.md#oolong)'));
    await vscode.commands.executeCommand("workbench.action.files.revert");
  });

  it("copies a link", async () => {
    await vscode.commands.executeCommand("khoj.search", "oxidised");
    await listed("the section on oolong", (all) => all[0]?.found?.headings.at(-1) === "Oolong");
    await vscode.commands.executeCommand("khoj.picker.copyLink");
    const copied = await until("the clipboard", async () => (await vscode.env.clipboard.readText()));
    assert.match(copied, /^\[tea\.md › Oolong\]\(file:\/\/\/.*tea\.md#L\d\)$/);
  });

  it("cancels what is typed over: only the last query is answered", async () => {
    const { picker } = await khoj();
    await vscode.commands.executeCommand("khoj.search", "kettle");
    const open = picker();
    for (const text of ["t", "te", "tea", "tea o", "oxidised"]) open?.type(text);
    const items = await listed("hits", (all) => all[0]?.found?.headings.at(-1) === "Oolong");
    assert(items.every((item) => item.found?.headings.at(-1) !== "Buy a kettle"));
  });

  it("finds text that is not saved", async () => {
    const editor = await edit("links.md", "END");
    await editor.edit((change) => { change.insert(editor.selection.active, "quokka quarrel\n"); });
    await until("the overlay", async () => {
      const found = await (await khoj()).host.channel.request("khoj/search", { query: "quokka" });
      return found.hits[0]?.unsaved === true;
    });
    await vscode.commands.executeCommand("workbench.action.files.revert");
  });
});

describe("a request", () => {
  it("is cancelled by its signal", async () => {
    const { host } = await khoj();
    const stop = new AbortController();
    const reply = host.channel.request("khoj/index/update", { embed: true }, { signal: stop.signal });
    stop.abort();
    await assert.rejects(reply, (failure: { code?: number }) => failure.code === -32800);
  });
});
