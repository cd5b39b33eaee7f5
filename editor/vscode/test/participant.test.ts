import assert from "node:assert/strict";
import * as vscode from "vscode";

import { answer, ID } from "../src/chat/participant";
import { khoj, until, uri } from "./support";

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

describe("@khoj", () => {
  it("answers with anchors in place of markers, references and steps, and goes on with its conversation", async () => {
    const { host } = await khoj();
    const { said, stream } = paper();
    const never = new vscode.CancellationTokenSource().token;
    const result = await answer(host, request("How is green tea made?"), after(), stream, never);
    assert.equal(words(said), "Green tea 🍵 is **steamed** ⚓. That is all.");
    const anchor = said.find(({ kind }) => kind === "anchor")?.value as vscode.Location;
    assert.equal(anchor.uri.fsPath, uri("tea.md").fsPath);
    assert.equal(anchor.range.start.line, 2);
    assert(said.some(({ kind }) => kind === "reference"));
    assert(said.some(({ kind }) => kind === "progress"));
    const first = (result.metadata as { conversation: string }).conversation;
    const next = await answer(host, request("tea", { command: "search" }), after(result), paper().stream, never);
    assert.equal((next.metadata as { conversation: string }).conversation, first);
    const { turns } = await host.channel.request("khoj/conversations/get", { conversation: first });
    assert.deepEqual(turns.map(({ question }) => question), ["How is green tea made?", "/search tea"]);
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
    const { errorDetails } = await answer(host, request("/nonsense x"), after(), paper().stream, new vscode.CancellationTokenSource().token);
    assert.match(errorDetails?.message ?? "", /there is no command \/nonsense/);
  });
});
