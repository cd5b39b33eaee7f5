// Settings that say where khojd is.
import * as os from "node:os";

import type { Place } from "./daemon";

/** As a person sets them; empty for what is usual. */
export interface PlaceSettings {
  /** The program and its first arguments. */
  command: readonly string[];
  /** The configuration file. */
  config: string;
  /** The directory of the index. */
  index: string;
  /** A socket that is tried first. */
  socket: string;
}

/** Where khojd is by the settings. `~` is the home directory. */
export function placeOf(settings: PlaceSettings): Place {
  const command = settings.command.filter((part) => part !== "");
  return {
    command: command.length === 0 ? ["khojd"] : command.map((part, at) => (at === 0 ? expanded(part) : part)),
    options: [...option("--config", settings.config), ...option("--index", settings.index)],
    socket: expanded(settings.socket),
  };
}

function option(name: string, value: string): string[] {
  return value.trim() === "" ? [] : [name, expanded(value)];
}

function expanded(path: string): string {
  return path.trim().replace(/^~(?=$|[\\/])/, () => os.homedir());
}
