// What a person can set.
import type { Plugin } from "obsidian";

export interface Settings {
  /** The program and its first arguments, one per line where there are several. */
  command: string;
  config: string;
  index: string;
  socket: string;
  /** Attach when Obsidian has started, not when something is first asked. */
  atStart: boolean;
  /** Tell khojd what is typed before it is saved. */
  unsaved: boolean;
  /** Milliseconds. */
  delay: number;
  limit: number;
  preview: boolean;
  follow: boolean;
  persona: string;
  model: string;
  /** A person has said that this vault is not to be indexed. */
  declined: boolean;
}

export const DEFAULTS: Settings = {
  command: "khojd",
  config: "",
  index: "",
  socket: "",
  atStart: true,
  unsaved: true,
  delay: 30,
  limit: 30,
  preview: true,
  follow: true,
  persona: "",
  model: "",
  declined: false,
};

/** Settings as they were stored; what is missing, or of another type, is as it was delivered. */
export function restored(stored: unknown): Settings {
  const given: Record<string, unknown> = typeof stored === "object" && stored !== null ? { ...stored } : {};
  const usual = Object.entries<unknown>({ ...DEFAULTS });
  const kept = usual.map(([name, value]): [string, unknown] => [name, typeof given[name] === typeof value ? given[name] : value]);
  return Object.fromEntries(kept) as unknown as Settings;
}

/** What has settings. */
export interface Owner extends Plugin {
  settings: Settings;
  /** Store them, and attach anew when `reconnect` says that this changes where khojd is. */
  keep(reconnect: boolean): Promise<void>;
}
