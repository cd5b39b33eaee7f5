// A real khojd, with notes, an index and a configuration of the test's own.
import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { readFile, mkdir, rename, writeFile } from "node:fs/promises";
import * as os from "node:os";
import * as path from "node:path";
import { promisify } from "node:util";

import type { Disk } from "./world/app";

const ROOT = path.resolve(import.meta.dirname, "../../..");
const PYTHON = process.env.KHOJD_TEST_PYTHON ?? "python3";

/** A folder of notes and the daemon that reads it. */
export class Place {
  readonly base = mkdtempSync(path.join(os.tmpdir(), "khojd-"));
  readonly notes = path.join(this.base, "notes");
  readonly command = [PYTHON, "-m", "khojd"];
  readonly index = path.join(this.base, "index");
  readonly config = path.join(this.base, "config.toml");
  readonly disk: Disk;

  constructor(notes: Readonly<Record<string, string>>, more = "", folder = true, meaning = "off") {
    mkdirSync(this.notes);
    const folders = folder ? `[[folders]]\npath = "${this.notes}"\n` : "";
    writeFileSync(this.config, `${folders}[embedding]\nmodel = "${meaning}"\n[daemon]\nidle_minutes = 5.0\n${more}`);
    for (const [name, text] of Object.entries(notes)) this.put(name, text);
    this.disk = disk(this.notes);
    this.enter();
  }

  /** Have what is started from here on see this khojd, and no person's own. */
  enter(): void {
    for (const [name, value] of Object.entries(this.environment)) process.env[name] = value;
  }

  get environment(): Record<string, string> {
    const { base } = this;
    return {
      HOME: base,
      PYTHONPATH: ROOT,
      KHOJD_INDEX: this.index,
      KHOJD_CONFIG: this.config,
      XDG_RUNTIME_DIR: base,
      XDG_STATE_HOME: path.join(base, "state"),
      XDG_CONFIG_HOME: path.join(base, "cfg"),
      XDG_DATA_HOME: path.join(base, "data"),
    };
  }

  /** Settings of the plugin that lead here. */
  get settings(): Record<string, unknown> {
    return { command: this.command.join("\n"), index: this.index, config: this.config, delay: 0 };
  }

  put(name: string, text: Uint8Array | string): void {
    mkdirSync(path.dirname(path.join(this.notes, name)), { recursive: true });
    writeFileSync(path.join(this.notes, name), text);
  }

  read(name: string): string {
    return readFileSync(path.join(this.notes, name), "utf8");
  }

  /** What khojd says on a command line. */
  async khojd(...args: string[]): Promise<string> {
    const [program = "", ...first] = this.command;
    const options = { cwd: this.base, timeout: 110_000, env: { ...process.env, ...this.environment } };
    const ran = await promisify(execFile)(program, [...first, ...args], options);
    return ran.stdout;
  }

  /** Index everything. */
  async indexed(): Promise<void> {
    await this.khojd("index");
  }

  /** Where the daemon listens; it is started if need be. */
  async address(): Promise<string> {
    return (await this.khojd("connect", "--address")).trim();
  }

  /** The process of the daemon. */
  async pid(): Promise<number> {
    const status: unknown = JSON.parse(await this.khojd("status", "--json"));
    return (status as { daemon: { pid: number } }).daemon.pid;
  }

  /** End the daemon, and take everything away. */
  async clear(): Promise<void> {
    await this.khojd("stop", "--force").catch(() => undefined); // there may be none
    rmSync(this.base, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
  }
}

/** The files of a vault. */
export function disk(base: string): Disk {
  const at = (name: string) => path.join(base, name);
  return {
    base,
    read: (name) => readFile(at(name), "utf8"),
    write: (name, text) => writeFile(at(name), text),
    mkdir: async (name) => { await mkdir(at(name), { recursive: true }); },
    rename: (name, to) => rename(at(name), at(to)),
  };
}
