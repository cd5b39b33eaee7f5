// Chat as VS Code knows it: the view, its commands, and @khoj.
import * as vscode from "vscode";

import type { Host } from "../host";
import { Chat } from "./chat";
import { participant } from "./participant";

/** Offer chat. What is made goes with the extension. */
export function registerChat(host: Host, context: vscode.ExtensionContext): Chat {
  const chat = new Chat(host, context);
  const command = (name: string, work: (...args: never[]) => Promise<unknown>) =>
    vscode.commands.registerCommand(`khoj.${name}`, (...args: never[]) => host.run(() => work(...args)));
  context.subscriptions.push(
    chat,
    command("chat.open", () => chat.open()),
    command("chat.new", () => chat.begin()),
    command("chat.conversations", () => chat.open(true)),
    command("chat.ask", () => chat.about()),
    command("chat.askNote", () => chat.about(true)),
    command("chat.stop", () => chat.talk.stop()),
    command("chat.reveal", (id: string) => chat.show(id)),
    command("proposal.show", (turn: string, proposal: string) => chat.proposals.show(turn, proposal)),
    command("proposal.apply", (uri?: vscode.Uri) => chat.proposals.apply(uri)),
    command("proposal.discard", (uri?: vscode.Uri) => chat.proposals.discard(uri)),
    ...participant(host, vscode.Uri.joinPath(context.extensionUri, "media", "khoj.svg")),
  );
  return chat;
}
