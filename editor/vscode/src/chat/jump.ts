// From an answer to the place in a note that it is about.
import { flat, type Source } from "khojd-common/answer";
import { unlinked, type Channel } from "khojd-common/channel";
import { stored, type Turn } from "khojd-common/conversation";
import type { Citation, Location } from "khojd-common/protocol";
import * as vscode from "vscode";

import { rangeOf, uriOf } from "../hits";
import { show } from "../show";

/** Show what a citation quotes, where it is by now. A note that was changed since the answer is looked into again. */
export async function toCitation(channel: Channel, conversation: string, turn: Turn, index: number): Promise<void> {
  const citation = turn.citations[index];
  if (citation === undefined) return;
  const now = (await holds(citation)) ? citation : ((await again(channel, conversation, turn, index)) ?? citation);
  await to(now.location, now.quote);
  if (now.state === "stale") void vscode.window.setStatusBarMessage("Khoj: the note has changed since; this is where the quote was", 8000);
}

/** Show a source: what is cited from it first, else the passage that the model was given. */
export async function toSource(channel: Channel, conversation: string, turn: Turn, source: Source): Promise<void> {
  if (source.citation !== undefined) await toCitation(channel, conversation, turn, turn.citations.indexOf(source.citation));
  else if (source.reference !== undefined) await to(source.reference.location, "");
}

/** Show the note that an answer names, as `note.md`, `note.md#L12` or `Note`. Says so where there is none. */
export async function toNote(channel: Channel, target: string): Promise<void> {
  const [address = "", anchor = ""] = target.split("#", 2);
  const wanted = address.trim().replace(/^\.?\//, "").toLowerCase();
  const { files } = await channel.request("khoj/index/files", {});
  const found = files
    .filter(({ path }) => {
      const lower = path.toLowerCase().replace(/\\/g, "/");
      return wanted !== "" && (lower.endsWith(`/${wanted}`) || lower.replace(/\.[^./]+$/, "").endsWith(`/${wanted}`));
    })
    .sort((one, other) => one.path.length - other.path.length)[0];
  if (found === undefined) {
    void vscode.window.showInformationMessage(`Khoj: there is no note ${unlinked(target)}`);
    return;
  }
  const line = Math.max(0, Number(/^L(\d+)/.exec(anchor)?.[1] ?? 1) - 1);
  const place = { line, character: 0 };
  await show({ uri: found.uri, range: { start: place, end: place } });
}

async function to(location: Location, quote: string): Promise<void> {
  await show(location, { marks: quote === "" ? [] : [quote] });
}

/** Whether the quote stands where the citation says. */
async function holds(citation: Citation): Promise<boolean> {
  try {
    const document = await vscode.workspace.openTextDocument(uriOf(citation.location));
    return flat(document.getText(document.validateRange(rangeOf(citation.location.range)))) === flat(citation.quote);
  } catch {
    return false;
  }
}

async function again(channel: Channel, conversation: string, turn: Turn, index: number): Promise<Citation | undefined> {
  const now = stored(await channel.request("khoj/conversations/get", { conversation }));
  return now.turns.find((one) => one.id === turn.id)?.citations[index];
}
