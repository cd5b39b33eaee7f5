// @khoj in VS Code's own chat, where there is one.
import { name, source } from "khojd-common/answer";
import { reason } from "khojd-common/channel";
import { type ChatValue, type Conversation, begin, empty, finish, receive } from "khojd-common/conversation";
import { mention } from "khojd-common/mentions";
import type { ChatContext, Citation, Location } from "khojd-common/protocol";
import * as vscode from "vscode";

import { addressOf, rangeOf, spanOf, uriOf } from "../hits";
import type { Host } from "../host";
import * as settings from "../settings";

export const ID = "khoj.notes";
const MARKER = /\[\^?\d{1,9}\]$/;

interface Metadata {
  conversation?: string;
  /** names of the notes that were cited */
  notes?: string[];
}

/** Offer @khoj, if this VS Code has a chat. */
export function participant(host: Host, icon: vscode.Uri): vscode.Disposable[] {
  // Forks and older versions have no such thing, whatever the types say.
  const chat = vscode.chat as Partial<typeof vscode.chat> | undefined;
  if (chat?.createChatParticipant === undefined) return [];
  const made = chat.createChatParticipant(ID, (request, context, stream, token) => answer(host, request, context, stream, token));
  made.iconPath = icon;
  made.followupProvider = { provideFollowups: (result) => followups(result.metadata) };
  return [vscode.Disposable.from(made)];
}

/** Answer a question that is asked with @khoj; a conversation of VS Code's chat is one of khojd's. */
export async function answer(
  host: Host,
  request: vscode.ChatRequest,
  context: vscode.ChatContext,
  stream: vscode.ChatResponseStream,
  token: vscode.CancellationToken,
): Promise<vscode.ChatResult> {
  const stop = new AbortController();
  const listening = token.onCancellationRequested(() => { stop.abort(); });
  const writer = new Writer(stream);
  let talk: Conversation = begin(empty(), request.prompt);
  const conversation = before(context);
  const { persona, model } = settings.chat();
  try {
    const result = await host.channel.request("khoj/chat", {
      message: request.command === undefined ? request.prompt : `/${request.command} ${request.prompt}`,
      conversation,
      persona: conversation === "" ? persona : "", // one that was begun has its own
      model,
      context: attached(request.references),
    }, {
      signal: stop.signal,
      partial: (value) => {
        if (!("kind" in value)) return;
        talk = receive(talk, value);
        writer.take(value);
      },
    });
    writer.flush();
    talk = finish(talk, result);
    const turn = talk.turns.at(-1);
    for (const one of turn?.proposals ?? []) {
      stream.button({ command: "khoj.proposal.show", title: `Show Change of ${name(one.path)}`, arguments: [turn?.id, one.id] });
    }
    stream.button({ command: "khoj.chat.reveal", title: "Go On in the Chat View", arguments: [result.conversation] });
    const notes = [...new Set((turn?.citations ?? []).map((one) => name(one.path)))];
    const metadata: Metadata = { conversation: result.conversation, notes };
    return { metadata, ...(result.state === "failed" ? { errorDetails: { message: result.reason } } : {}) };
  } catch (failure) {
    writer.flush();
    if (token.isCancellationRequested) return { metadata: { conversation: talk.id } };
    return { errorDetails: { message: reason(failure) }, metadata: { conversation: talk.id } };
  } finally {
    listening.dispose();
  }
}

/** Writes an answer with its citations as anchors. */
class Writer {
  private held = "";
  private readonly seen = new Set<string>();

  constructor(private readonly stream: vscode.ChatResponseStream) {}

  take(value: ChatValue): void {
    if (value.kind === "step") {
      if (value.step.kind === "notice") this.stream.markdown(`*${value.step.text.replace(/([\\*_`[\]])/g, "\\$1")}*\n\n`);
      else this.stream.progress(value.step.text);
    } else if (value.kind === "text") {
      this.text(value.text);
    } else if (value.kind === "citation") {
      this.cite(value.citation);
    } else if (value.kind === "references") {
      for (const one of value.references) this.refer(one.location);
    }
  }

  flush(): void {
    if (this.held !== "") this.stream.markdown(this.held);
    this.held = "";
  }

  /** What ends with a marker waits for what the marker stands for. */
  private text(text: string): void {
    const all = this.held + text;
    const marker = MARKER.exec(all)?.[0] ?? "";
    this.held = marker;
    if (marker.length < all.length) this.stream.markdown(all.slice(0, all.length - marker.length));
  }

  private cite(citation: Citation): void {
    this.held = "";
    const label = [`${citation.number}: ${source(citation)}`, citation.weak ? "(weak)" : "", citation.state === "stale" ? "(changed since)" : ""];
    this.stream.anchor(at(citation.location), label.filter((part) => part !== "").join(" "));
  }

  private refer(location: Location): void {
    const key = JSON.stringify(location);
    if (!this.seen.has(key)) this.stream.reference(at(location));
    this.seen.add(key);
  }
}

/** What can be asked next, after an answer. */
export function followups(metadata: Metadata | undefined): vscode.ChatFollowup[] {
  const notes = (metadata?.notes ?? []).slice(0, 2).map((one) => one.replace(/\.[^.]+$/, ""));
  return [
    ...notes.map((one) => ({ prompt: mention(one), command: "summarize", label: `Summarize ${one}` })),
    ...(metadata?.conversation === undefined ? [] : [{ prompt: "What else do my notes say about that?", label: "What else do my notes say?" }]),
  ];
}

/** The conversation that this chat has with khojd; empty for none yet. */
function before(context: vscode.ChatContext): string {
  for (const turn of [...context.history].reverse()) {
    if (!("result" in turn) || turn.participant !== ID) continue;
    const { conversation = "" } = (turn.result.metadata ?? {}) as Metadata;
    if (conversation !== "") return conversation;
  }
  return "";
}

/** Files and selections that a person has attached. */
function attached(references: readonly vscode.ChatPromptReference[]): ChatContext[] {
  return references.flatMap(({ value }) => {
    if (value instanceof vscode.Uri) return value.scheme === "file" ? [{ textDocument: { uri: addressOf(value) } }] : [];
    if (!(value instanceof vscode.Location) || value.uri.scheme !== "file") return [];
    return [{ textDocument: { uri: addressOf(value.uri) }, range: spanOf(value.range) }];
  });
}

function at(location: Location): vscode.Location {
  return new vscode.Location(uriOf(location), rangeOf(location.range));
}
