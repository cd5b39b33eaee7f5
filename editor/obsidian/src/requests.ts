// What khojd asks of the person and of Obsidian.
import { Notice } from "obsidian";
import type { IndexStatus, Location, Range } from "khojd-common/protocol";

import type { Host } from "./connection";
import { ask } from "./dialogs";
import type { WorkspaceEdit } from "./edits";
import type { Khoj } from "./khoj";

interface Message {
  type: number;
  message: string;
  actions?: { title: string }[];
}

interface Shown {
  uri: string;
  external?: boolean;
  selection?: Range;
}

interface Progress {
  token: number | string;
  value: { kind: "begin" | "report" | "end"; title?: string; message?: string; percentage?: number };
}

const INFO = 3;

/** Answers of this plugin. */
export function host(khoj: Khoj): Host {
  const titles = new Map<number | string, string>();
  return {
    requests: {
      "workspace/applyEdit": ({ edit }: { edit: WorkspaceEdit }) => khoj.edits.apply(edit),
      "window/showDocument": (shown: Shown) => show(khoj, shown),
      "window/showMessageRequest": (message: Message) => question(khoj, message),
      "window/workDoneProgress/create": () => null,
      "client/registerCapability": () => null,
      "client/unregisterCapability": () => null,
      "workspace/configuration": ({ items }: { items: unknown[] }) => items.map(() => null),
    },
    notifications: {
      "window/showMessage": ({ type, message }: Message) => {
        if (type <= INFO) new Notice(`Khoj: ${message}`, type === 1 ? 0 : undefined);
      },
      "khoj/statusChanged": (status: IndexStatus) => { khoj.take(status); },
      "$/progress": ({ token, value }: Progress) => {
        if (value.title !== undefined) titles.set(token, value.title);
        const percentage = value.percentage === undefined ? "" : ` ${value.percentage} %`;
        khoj.bar.work(value.kind === "end" ? "" : `${value.message ?? titles.get(token) ?? ""}${percentage}`);
        if (value.kind === "end") titles.delete(token);
      },
    },
  };
}

async function show(khoj: Khoj, { uri, external, selection }: Shown): Promise<{ success: boolean }> {
  if (external === true && !/^(?:https?|mailto):/.test(uri)) return { success: false };
  if (external === true) {
    window.open(uri);
    return { success: true };
  }
  const start = { line: 0, character: 0 };
  const location: Location = { uri, range: selection ?? { start, end: start } };
  try {
    await khoj.notes.open(location);
    return { success: true };
  } catch {
    return { success: false };
  }
}

async function question(khoj: Khoj, { message, actions = [] }: Message): Promise<{ title: string } | null> {
  const answer = await ask(khoj.app, message, actions.length > 0 ? actions.map((one) => one.title) : ["Close"]);
  return actions.find((one) => one.title === answer) ?? null;
}
