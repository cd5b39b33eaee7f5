import assert from "node:assert/strict";
import * as vscode from "vscode";

import { answer, followups, ID } from "../src/chat/participant";
import { closeAll, diff, khoj, set, until, uri } from "./support";
import { chat } from "./talking";

interface Said {
  kind: string;
  value: unknown;
}

/** The part of VS Code's chat that an answer is written to. */
function paper(): { said: Said[]; stream: vscode.ChatResponseStream } {
  const said: Said[] = [];
  const put = (kind: string) => (value: unknown) => { said.push({ kind, value }); };
  const parts = { markdown: put("markdown"), anchor: put("anchor"), reference: put("reference"), progress: put("progress"), button: put("button") };
  return { said, stream: parts as unknown as vscode.ChatResponseStream };
}

function request(prompt: string, more: Partial<vscode.ChatRequest> = {}): vscode.ChatRequest {
  return { prompt, command: undefined, references: [], ...more } as unknown as vscode.ChatRequest;
}

function after(...results: vscode.ChatResult[]): vscode.ChatContext {
  return { history: results.map((result) => ({ participant: ID, result })) } as unknown as vscode.ChatContext;
}

function words(said: readonly Said[]): string {
  return said.map(({ kind, value }) => (kind === "markdown" ? String(value) : kind === "anchor" ? "⚓" : "")).join("");
}

const NEVER = new vscode.CancellationTokenSource().token;

/** The answer to a question, what VS Code's chat is told, and the turn that khojd keeps of it. */
async function answered(asked: vscode.ChatRequest, before: vscode.ChatContext = after()) {
  const { host } = await khoj();
  const { said, stream } = paper();
  const result = await answer(host, asked, before, stream, NEVER);
  assert.equal(result.errorDetails, undefined);
  const { conversation: id = "", notes = [] } = (result.metadata ?? {}) as { conversation?: string; notes?: string[] };
  const { conversation, turns } = await host.channel.request("khoj/conversations/get", { conversation: id });
  const turn = turns.at(-1);
  assert(turn !== undefined);
  const buttons = said.filter(({ kind }) => kind === "button").map(({ value }) => value as vscode.Command);
  return { result, said, buttons, notes, conversation, turn };
}

describe("@khoj", () => {
  afterEach(closeAll);

  it("answers with anchors in place of markers, references and steps, and goes on with its conversation", async () => {
    const { host } = await khoj();
    const { said, stream } = paper();
    const result = await answer(host, request("How is green tea made?"), after(), stream, NEVER);
    assert.equal(words(said), "Green tea 🍵 is **steamed** ⚓. That is all.");
    const anchor = said.find(({ kind }) => kind === "anchor")?.value as vscode.Location;
    assert.equal(anchor.uri.fsPath, uri("tea.md").fsPath);
    assert.equal(anchor.range.start.line, 2);
    assert(said.some(({ kind }) => kind === "reference"));
    assert(said.some(({ kind }) => kind === "progress"));
    const first = (result.metadata as { conversation: string }).conversation;
    const next = await answer(host, request("tea", { command: "search" }), after(result), paper().stream, NEVER);
    assert.equal((next.metadata as { conversation: string }).conversation, first);
    const { turns } = await host.channel.request("khoj/conversations/get", { conversation: first });
    assert.deepEqual(turns.map(({ question }) => question), ["How is green tea made?", "/search tea"]);
  });

  it("has the persona and the model of the settings, and a conversation that goes on keeps its persona", async () => {
    const persona = await set("chat.persona", "writer");
    const model = await set("chat.model", "local/phi4");
    try {
      const first = await answered(request("How is green tea made?"));
      assert.deepEqual([first.conversation.persona, first.turn.persona, first.turn.model], ["writer", "writer", "phi4"]);
      (await chat()).talk.begin();
      assert.deepEqual((await chat()).talk.choice, { persona: "writer", model: "local/phi4", filters: null });
      await persona.to("developer");
      await model.to(undefined);
      const next = await answered(request("And oolong?"), after(first.result));
      assert.deepEqual([next.conversation.id, next.turn.persona, next.turn.model], [first.conversation.id, "writer", "qwen3"]);
    } finally {
      await persona.back();
      await model.back();
      (await chat()).talk.begin();
    }
  });

  it("offers to go on in the view, and what can be asked next", async () => {
    const { buttons, conversation, result, notes } = await answered(request("How is green tea made?"));
    const [button] = buttons;
    assert.deepEqual([buttons.length, button?.title], [1, "Go On in the Chat View"]);
    await vscode.commands.executeCommand(button?.command ?? "", ...(button?.arguments as unknown[]));
    const { talk } = await chat();
    assert.equal(talk.conversation.id, conversation.id);
    assert.deepEqual(talk.conversation.turns.map(({ question }) => question), ["How is green tea made?"]);

    assert.deepEqual(notes, ["tea.md"]);
    const [about, more] = followups(result.metadata);
    assert(about !== undefined && more !== undefined);
    assert.deepEqual([about.command, about.label], ["summarize", "Summarize tea"]);
    const { turn } = await answered(request(about.prompt, { command: about.command ?? "" }), after(result));
    assert.equal(turn.question, "/summarize @tea");
    assert.equal((await answered(request(more.prompt), after(result))).conversation.id, conversation.id);
    assert.deepEqual(followups(undefined), []);
  });

  it("offers to show a change that it proposes", async () => {
    const { buttons, turn } = await answered(request("Please edit the note on tea", { command: "research" }));
    assert.deepEqual(buttons.map(({ title }) => title), ["Show Change of tea.md", "Go On in the Chat View"]);
    const [show] = buttons;
    assert(show !== undefined);
    assert.deepEqual(show.arguments, [turn.id, turn.proposals[0]?.id]);
    await vscode.commands.executeCommand(show.command, ...(show.arguments as unknown[]));
    assert.equal((await until("the diff", diff)).original.fsPath, uri("tea.md").fsPath);
  });

  it("is asked about what is attached", async () => {
    const place = new vscode.Location(uri("tea.md"), new vscode.Range(2, 0, 3, 0));
    const values: unknown[] = [uri("errands.org"), place, vscode.Uri.parse("https://example.org/"), "words"];
    const references = values.map((value) => ({ id: "", value })) as unknown as vscode.ChatPromptReference[];
    const { turn } = await answered(request("What is this about?", { references }));
    assert.deepEqual(turn.references.map(({ origin, path }) => [origin, path]), [["note", uri("errands.org").fsPath]]);
    const queries = turn.steps.filter(({ kind }) => kind === "queries").map(({ text }) => text);
    assert.match(queries.join(), /What is this about\? Green tea 🍵 is steamed, not roasted\.\n$/u);
  });

  it("stops when VS Code says so", async () => {
    const { host } = await khoj();
    const stop = new vscode.CancellationTokenSource();
    const { said, stream } = paper();
    const running = answer(host, request("Talk for ever"), after(), stream, stop.token);
    await until("the beginning", () => words(said) === "On and on" || undefined);
    stop.cancel();
    const { errorDetails } = await running;
    assert.equal(errorDetails, undefined);
  });

  it("says what is wrong with a question", async () => {
    const { host } = await khoj();
    const { errorDetails } = await answer(host, request("/nonsense x"), after(), paper().stream, NEVER);
    assert.match(errorDetails?.message ?? "", /there is no command \/nonsense/);
  });
});
