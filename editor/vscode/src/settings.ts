// What the settings say.
import { placeOf } from "khojd-common/place";
import type { Place } from "khojd-common/daemon";
import * as vscode from "vscode";

export const SECTION = "khoj";

function get<T>(key: string, usual: T): T {
  return vscode.workspace.getConfiguration(SECTION).get<T>(key, usual);
}

/** Where khojd is. Settings of the machine or the user only: a workspace names no program. */
export function place(): Place {
  return placeOf({
    command: get<string[]>("command", ["khojd"]),
    config: get("config", ""),
    index: get("index", ""),
    socket: get("socket", ""),
  });
}

/** Folders that khojd is told of; it asks before it reads one. */
export function folders(): string[] {
  return get<string[]>("folders", []);
}

/** Whether khojd may ask about folders of the workspace that it does not know. */
export function offersFolders(): boolean {
  return get("offerWorkspaceFolders", false);
}

/** The switches of features that a person has set here; for the others khojd's configuration counts. */
export function features(): Record<string, boolean> {
  const all = get<Record<string, unknown>>("features", {});
  const set = Object.entries(all).filter((entry): entry is [string, boolean] => typeof entry[1] === "boolean");
  // The commands of the daemon have the names of ours; those that completions and actions need are announced in any case.
  return { ...Object.fromEntries(set), commands: false };
}

/** Whether a person has switched a feature on here. */
export function wanted(feature: string): boolean {
  return features()[feature] === true;
}

export interface SearchSettings {
  delay: number;
  limit: number;
  /** Milliseconds before the selected hit is shown; negative for never. */
  preview: number;
}

export function search(): SearchSettings {
  return { delay: get("search.delay", 30), limit: get("search.limit", 30), preview: get("search.previewDelay", 100) };
}

/** Whether the view Related follows the cursor, and how long the cursor is to rest, in milliseconds. */
export function related(): { follow: boolean; delay: number } {
  return { follow: get("related.followCursor", true), delay: get("related.delay", 400) };
}

/** Who answers in new conversations, and which model, as provider/model; empty for what khojd's configuration says. */
export function chat(): { persona: string; model: string } {
  return { persona: get("chat.persona", ""), model: get("chat.model", "") };
}

/** Whether a change may be one of what the connection was made with. */
export function movesDaemon(change: vscode.ConfigurationChangeEvent): boolean {
  return ["command", "config", "index", "socket", "folders"].some((key) => change.affectsConfiguration(`${SECTION}.${key}`));
}
