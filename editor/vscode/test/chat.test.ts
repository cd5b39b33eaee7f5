import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import * as vscode from "vscode";

import { COMMANDS } from "khojd-common/mentions";
import { asked, chat, turn } from "./talking";
import { closeAll, diff, edit, khoj, khojd, until, uri } from "./support";

/** Wait until the cursor is in a line of a note that has a text. */
async function arrives(name: string, text: string | RegExp): Promise<void> {
  await until(`the cursor at ${String(text)} in ${name}`, () => {
    const editor = vscode.window.activeTextEditor;
    if (editor?.document.uri.fsPath !== uri(name).fsPath) return false;
    return new RegExp(text).test(editor.document.lineAt(editor.selection.active.line).text);
  });
}

describe("chat", () => {
  before(async () => { await (await khoj()).host.channel.request("khoj/index/update", {}); });
  afterEach(closeAll);

  it("has a view whose page runs under its policy", async () => {
    await vscode.commands.executeCommand("khoj.chat.open");
    const one = await chat();
    await until("the page", () => one.shown || undefined);
    await vscode.commands.executeCommand("workbench.view.explorer");
    await until("no page", () => !one.shown || undefined);
    await vscode.commands.executeCommand("khoj.chat.open");
    await until("the page again", () => one.shown || undefined);
  });

  it("streams an answer with steps, thoughts, citations and what it took", async () => {
    const one = await chat();
    one.talk.begin();
    await one.take({ type: "ask", question: "How is green tea made?" });
    const answer = await turn("the answer", ({ state }) => state === "complete");
    assert.equal(answer.answer, "Green tea 🍵 is **steamed** [1]. That is all.");
    assert.equal(answer.model, "local/qwen3");
    assert.match(answer.thinking, /say something/);
    assert(answer.steps.some(({ kind }) => kind === "model"), JSON.stringify(answer.steps));
    assert.deepEqual(answer.citations.map(({ number, at, weak }) => [number, answer.answer.slice(at, at + 3), weak]), [[1, "[1]", false]]);
    assert.equal(answer.usage?.promptTokens, 812);
    assert(answer.references.length > 0);
  });

  it("goes from a citation to its quote, also after the note was changed", async () => {
    const one = await chat();
    const { key, citations } = await asked("How is green tea made?");
    await one.take({ type: "cite", key, index: 0 });
    await arrives("tea.md", /steamed/);
    const editor = await edit("tea.md");
    await editor.edit((change) => { change.insert(new vscode.Position(0, 0), "# Above 🍵\n\nMore lines.\n\n"); });
    assert.doesNotMatch(editor.document.lineAt(citations[0]?.location.range.start.line ?? 0).text, /steamed/);
    await one.take({ type: "source", key, number: 1 });
    await arrives("tea.md", /steamed/);
    await vscode.commands.executeCommand("workbench.action.files.revert");
  });

  it("shows that a note was changed since, without being asked", async () => {
    const one = await chat();
    await vscode.commands.executeCommand("khoj.chat.open");
    await until("the page", () => one.shown);
    await asked("How is green tea made?");
    const state = (wanted: string) => until(wanted, () => one.talk.conversation.turns[0]?.citations[0]?.state === wanted);
    await state("fresh");
    const text = readFileSync(uri("tea.md").fsPath, "utf-8");
    try {
      writeFileSync(uri("tea.md").fsPath, text.replace("steamed", "roasted"));
      await state("stale");
      writeFileSync(uri("tea.md").fsPath, `# Above\n\n${text}`);
      await state("moved");
    } finally {
      writeFileSync(uri("tea.md").fsPath, text);
    }
    await state("fresh");
  });

  it("goes to the notes that an answer names, and tells where there is none", async () => {
    const one = await chat();
    for (const target of ["tea.md#L7", "Tea#L7", "./tea.md#L7"]) {
      await closeAll();
      await one.take({ type: "note", target });
      await until(`the line of ${target}`, () => {
        const editor = vscode.window.activeTextEditor;
        return editor?.document.uri.fsPath === uri("tea.md").fsPath && editor.selection.active.line === 6;
      });
    }
    await closeAll();
    await one.take({ type: "note", target: "../../../etc/passwd" });
    assert.equal(vscode.window.activeTextEditor, undefined);
  });

  it("stops an answer, and keeps what there is of it", async () => {
    const one = await chat();
    one.talk.begin();
    const end = one.take({ type: "ask", question: "Talk for ever" });
    await turn("the beginning", ({ answer }) => answer === "On and on");
    await one.take({ type: "ask", question: "What else?" }); // not now
    await vscode.commands.executeCommand("khoj.chat.stop");
    await end;
    const { state, answer } = await turn("the end", ({ state }) => state !== "running");
    assert.deepEqual([state, answer, one.talk.conversation.turns.length], ["cancelled", "On and on", 1]);
  });

  it("asks again, edits and forks", async () => {
    const one = await chat();
    const first = await asked("How is green tea made?");
    await one.take({ type: "retry", key: first.key });
    const again = await turn("the answer", ({ state }) => state === "complete");
    assert.notEqual(again.id, first.id);
    assert.equal(one.talk.conversation.turns.length, 1);
    await one.take({ type: "edit", key: again.key });
    assert.equal(one.talk.replaces, again.id);
    await one.take({ type: "ask", question: "And oolong?" });
    assert.deepEqual(one.talk.conversation.turns.map(({ question }) => question), ["And oolong?"]);
    const { id } = one.talk.conversation;
    await one.take({ type: "fork", key: one.talk.conversation.turns[0]?.key ?? 0 });
    assert.notEqual(one.talk.conversation.id, id);
    assert.deepEqual(one.talk.conversation.turns.map(({ question }) => question), ["And oolong?"]);
  });

  it("says why a question is refused, and does not lose it", async () => {
    const refused = await asked("/sumarize tea");
    assert.deepEqual([refused.id, refused.state], ["", "failed"]);
    assert.match(refused.reason, /did you mean \/summarize/);
    const { talk } = await chat();
    await talk.ask("How is green tea made?");
    assert.equal(talk.conversation.turns.length, 1);
  });

  it("asks about the selection, once", async () => {
    const one = await chat();
    const editor = await edit("tea.md");
    editor.selection = new vscode.Selection(2, 0, 5, 0);
    await one.begin();
    await vscode.commands.executeCommand("khoj.chat.ask");
    assert.deepEqual(one.talk.about.map(({ label, place }) => [label, place.range?.start.line, place.range?.end.line]), [["tea.md:3–5", 2, 5]]);
    await one.take({ type: "ask", question: "What is this about?" });
    assert.deepEqual(one.talk.about, []);
    const answer = await turn("the answer", ({ state }) => state === "complete");
    assert(answer.references.some(({ origin }) => origin === "selection"), JSON.stringify(answer.references.map(({ origin }) => origin)));
  });

  it("completes notes, commands that khojd has, and filters", async () => {
    const one = await chat();
    const texts = async (what: "question" | "filters", text: string) =>
      (await one.complete(what, text, text.length)).items.map((item) => item.text);
    assert((await texts("question", "see @te")).includes("@tea "));
    assert((await texts("question", "see [[err")).includes("[[errands]] "));
    assert((await texts("filters", "tag:sho")).includes("shopping"));
    const help = await asked("/help");
    const known = [...help.answer.matchAll(/^- `\/(\w+)`/gm)].map(([, name]) => name);
    assert.deepEqual(Object.keys(COMMANDS).sort(), known.sort());
  });

  it("shows a proposed change as a diff, and makes it after a yes only", async () => {
    const one = await chat();
    const note = await vscode.workspace.openTextDocument(uri("tea.md"));
    const { key, proposals, steps, answer } = await asked("/research Please edit the note on tea");
    const [proposal] = proposals;
    assert(proposal !== undefined, `${answer} ${JSON.stringify(steps)}`);
    const before = note.getText();

    await one.take({ type: "proposal", key, id: proposal.id });
    const shown = await until("the diff", diff);
    assert.equal(shown.original.fsPath, note.uri.fsPath);
    const after = (await vscode.workspace.openTextDocument(shown.modified)).getText();
    assert.equal(after, before.replace("between green and black", "between green 🍃 and black"));
    await vscode.commands.executeCommand("khoj.proposal.discard");
    await until("no diff", () => diff() === undefined);
    assert.equal(note.getText(), before);

    await one.take({ type: "proposal", key, id: proposal.id });
    await until("the diff", diff);
    await vscode.commands.executeCommand("khoj.proposal.apply");
    await until("the change", () => note.getText() === after || undefined);
    assert.equal(note.isDirty, true, "saving is the person's");
    await until("no diff", () => diff() === undefined);
    await arrives("tea.md", /🍃/u);
    await vscode.commands.executeCommand("workbench.action.files.revert");
  });

  it("exports a conversation as a note, and deletes none without a yes", async () => {
    const one = await chat();
    await asked("How is green tea made?");
    const { id } = one.talk.conversation;
    const exporting = one.take({ type: "export", id });
    const note = await until("the note", async () => {
      await vscode.commands.executeCommand("workbench.action.acceptSelectedQuickOpenItem");
      const shown = vscode.window.activeTextEditor?.document;
      return shown?.isUntitled === true ? shown : undefined;
    });
    await exporting;
    assert.equal(note.languageId, "markdown");
    assert.match(note.getText(), /How is green tea made\?[^]*steamed[^]*tea\.md#L3/);
    await vscode.commands.executeCommand("workbench.action.revertAndCloseActiveEditor");
    await one.take({ type: "delete", id }).catch(() => undefined); // this VS Code says no to each dialog
    const { host } = await khoj();
    assert.equal((await host.channel.request("khoj/conversations/get", { conversation: id })).turns.length, 1);
  });

  it("goes on with a conversation that was begun elsewhere, and shows what is said there meanwhile", async () => {
    const one = await chat();
    await khojd("chat", "How is oolong made?");
    const { host } = await khoj();
    const { conversations } = await host.channel.request("khoj/conversations/list", { query: "oolong" });
    const id = conversations[0]?.id ?? "";
    await vscode.commands.executeCommand("khoj.chat.reveal", id);
    assert.deepEqual(one.talk.conversation.turns.map(({ question, state }) => [question, state]), [["How is oolong made?", "complete"]]);
    await one.take({ type: "ask", question: "And here?" });
    await khojd("chat", "--conversation", id, "And there?");
    await one.talk.refresh();
    assert.deepEqual(one.talk.conversation.turns.map(({ question }) => question), ["How is oolong made?", "And here?", "And there?"]);
  });
});
