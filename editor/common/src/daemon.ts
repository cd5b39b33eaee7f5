// Finding khojd, starting it, and agreeing with it on a protocol.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import * as net from "node:net";
import * as os from "node:os";
import * as path from "node:path";
import type { Readable, Writable } from "node:stream";

import { OLDEST_PROTOCOL, PROTOCOL, type ServerHello } from "./protocol";

/** A connection over which nothing has been said. `close` may be called at any time, and again. */
export interface Stream {
  reader: Readable;
  writer: Writable;
  close(): void;
}

/** Where khojd is. */
export interface Place {
  /** The program and its first arguments, `["khojd"]`. */
  command: readonly string[];
  /** `--config`, `--index` and their values, or nothing. */
  options: readonly string[];
  /** A socket that is tried first; empty for none. */
  socket: string;
}

const GIVEN_UP = "nobody waits for khojd any longer";

/** There is no khojd to be had; the message is one line for a person, with what to do. */
export class DaemonError extends Error {
  override readonly name = "DaemonError";
}

/**
 * A connection to the daemon, which is started if need be. `signal` gives it up: the program that was asked is ended, the daemon,
 * which others use too, is not.
 *
 * @throws DaemonError when khojd is not installed, does not start, is not done within `patience` milliseconds, or was given up.
 */
export async function attach(place: Place, patience = 60_000, signal?: AbortSignal): Promise<Stream> {
  if (place.socket !== "") {
    try {
      return await dial(place.socket);
    } catch {
      // Nobody listens there (any more): the command knows better.
    }
  }
  if (process.platform === "win32") return bridge(place); // it says the secret that the named pipe asks for
  const address = await ask(place, ["connect", ...place.options, "--address"], patience, signal);
  try {
    return await dial(address);
  } catch (failure) {
    throw new DaemonError(`khojd does not listen at ${address}: ${String(failure)}`);
  }
}

/**
 * Check what a server has said of itself in `capabilities.experimental.khoj`.
 *
 * @throws DaemonError for a server that is not khojd, or one that no longer speaks our protocol.
 */
export function agreed(hello: ServerHello | undefined, command: readonly string[]): ServerHello {
  if (hello === undefined) throw new DaemonError(`${command.join(" ")} is not khojd`);
  const [oldest, newest] = hello.protocol;
  if (oldest > PROTOCOL) throw new DaemonError(`khojd ${hello.version} is too new for this plugin: update the plugin`);
  if (newest < OLDEST_PROTOCOL) {
    throw new DaemonError(`khojd ${hello.version} is too old for this plugin: update khojd (pipx upgrade khojd)`);
  }
  return hello;
}

function dial(address: string): Promise<Stream> {
  return new Promise((resolve, reject) => {
    const socket = net.connect(address);
    socket.once("error", reject);
    socket.once("connect", () => {
      socket.off("error", reject);
      socket.on("error", () => undefined); // its end is heard by whoever reads
      resolve({ reader: socket, writer: socket, close: () => socket.destroy() });
    });
  });
}

/** A connection through `khojd connect` itself. */
export function bridge(place: Place): Promise<Stream> {
  const child = start(place, ["connect", ...place.options]);
  child.stderr.resume(); // nobody reads it, and a full pipe would hold the child up
  return new Promise((resolve, reject) => {
    child.on("error", (failure: NodeJS.ErrnoException) => { reject(new DaemonError(explained(place, failure))); });
    child.once("spawn", () => {
      child.stdin.on("error", () => undefined); // its end is heard by whoever reads
      resolve({ reader: child.stdout, writer: child.stdin, close: () => child.kill() });
    });
  });
}

/** What khojd prints for some arguments, without white space around it. */
function ask(place: Place, args: readonly string[], patience: number, signal?: AbortSignal): Promise<string> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted === true) {
      reject(new DaemonError(GIVEN_UP));
      return;
    }
    const child = start(place, args);
    let out = "";
    let words = "";
    const end = (why: string) => {
      child.kill();
      reject(new DaemonError(why));
    };
    const late = setTimeout(() => { end(`khojd did not start within ${patience / 1000} seconds; its log may say why`); }, patience);
    const given = () => { end(GIVEN_UP); };
    signal?.addEventListener("abort", given, { once: true });
    const heard = () => {
      clearTimeout(late);
      signal?.removeEventListener("abort", given);
    };
    child.stdin.on("error", () => undefined).end();
    child.stdout.setEncoding("utf8").on("data", (part: string) => (out += part));
    child.stderr.setEncoding("utf8").on("data", (part: string) => (words += part));
    child.on("error", (failure: NodeJS.ErrnoException) => {
      heard();
      reject(new DaemonError(explained(place, failure)));
    });
    child.on("close", (code) => {
      heard();
      if (code === 0 && out.trim() !== "") resolve(out.trim());
      else reject(new DaemonError(lastLine(words) || `${place.command.join(" ")} ended with status ${code ?? "none"}`));
    });
  });
}

function start(place: Place, args: readonly string[]) {
  const [program = "khojd", ...first] = place.command;
  // The home directory: the daemon that is started must not hold a folder that somebody wants to unmount or delete.
  // Where that is missing, spawn would blame the program.
  const home = os.homedir();
  const cwd = existsSync(home) ? home : path.parse(process.cwd()).root;
  // An editor that a desktop has started, on macOS above all, does not know where pipx puts programs: that is looked at last.
  const { PATH = "" } = process.env;
  const env = process.platform === "win32" ? process.env : { ...process.env, PATH: `${PATH}:${path.join(home, ".local", "bin")}` };
  return spawn(program, [...first, ...args], { stdio: ["pipe", "pipe", "pipe"], cwd, env, windowsHide: true });
}

function explained(place: Place, failure: NodeJS.ErrnoException): string {
  if (failure.code !== "ENOENT") return `${place.command.join(" ")} cannot be run: ${failure.message}`;
  return place.command[0] === "khojd"
    ? "khojd is not installed: install it (pipx install khojd), or set the command in the settings"
    : `the command in the settings names no program: ${place.command.join(" ")}`;
}

/** The last line of what khojd said to people, without its name. */
function lastLine(words: string): string {
  const lines = words.split("\n").map((line) => line.trim()).filter((line) => line !== "");
  return (lines.at(-1) ?? "").replace(/^khojd: /, "");
}
