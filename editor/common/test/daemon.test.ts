import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import * as net from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { agreed, attach, bridge, DaemonError, type Place } from "../src/daemon";
import type { ServerHello } from "../src/protocol";

/** How long another process may take. */
const WAIT = { timeout: 30_000, interval: 20 };

let directory: string;
let servers: net.Server[];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "khojd-"));
  servers = [];
});

afterEach(() => {
  for (const server of servers) server.close();
  rmSync(directory, { recursive: true });
});

/** A program in place of khojd; it gets the arguments of khojd. */
function program(text: string): string[] {
  const path = join(directory, "khojd.cjs");
  writeFileSync(path, text);
  return [process.execPath, path];
}

function place(more: Partial<Place>): Place {
  return { command: ["khojd"], options: [], socket: "", ...more };
}

/** A socket at which somebody says `word` and listens no more. */
function listen(word: string): Promise<string> {
  const path = join(directory, `${word}.sock`);
  return new Promise((resolve) => {
    const server = net.createServer((socket) => socket.end(word));
    servers.push(server);
    server.listen(path, () => { resolve(path); });
  });
}

async function heard(from: Place): Promise<string> {
  const stream = await attach(from);
  let text = "";
  for await (const part of stream.reader) text += String(part);
  stream.close();
  return text;
}

describe("attaching", () => {
  it("asks the command for the address, with the options of the settings", async () => {
    const address = await listen("daemon");
    const command = program(`
      const asked = process.argv.slice(2).join(" ");
      if (asked === "connect --config /c.toml --address") console.log(${JSON.stringify(address)});
      else { console.error("khojd: asked for " + asked); process.exit(2); }`);
    expect(await heard(place({ command, options: ["--config", "/c.toml"] }))).toBe("daemon");
  });

  it("tries the socket of the settings first, and the command where nobody listens", async () => {
    const address = await listen("daemon");
    const command = program(`console.log(${JSON.stringify(address)});`);
    expect(await heard(place({ socket: address, command: ["/no/such/program"] }))).toBe("daemon");
    expect(await heard(place({ socket: join(directory, "old.sock"), command }))).toBe("daemon");
  });

  it.skipIf(process.platform === "win32")("finds khojd where pipx puts it, though the editor was not told of that", async () => {
    const address = await listen("daemon");
    const { PATH, HOME } = process.env;
    mkdirSync(join(directory, ".local", "bin"), { recursive: true });
    writeFileSync(join(directory, ".local", "bin", "khojd"), `#!/bin/sh\necho ${address}\n`, { mode: 0o755 });
    Object.assign(process.env, { PATH: "/nowhere", HOME: directory });
    try {
      expect(await heard(place({}))).toBe("daemon");
    } finally {
      Object.assign(process.env, { PATH, HOME });
    }
  });

  it("says how to install khojd where there is none", async () => {
    const { PATH, HOME } = process.env;
    Object.assign(process.env, { PATH: directory, HOME: directory });
    try {
      await expect(attach(place({}))).rejects.toThrow("khojd is not installed: install it (pipx install khojd), or set the command");
    } finally {
      Object.assign(process.env, { PATH, HOME });
    }
    await expect(attach(place({ command: ["/no/such/program"] }))).rejects.toThrow("names no program: /no/such/program");
  });

  it("passes on the last line of what khojd says when it cannot start", async () => {
    const command = program(`console.error("a line before\\nkhojd: the index was made by a newer khojd\\n"); process.exit(3);`);
    await expect(attach(place({ command }))).rejects.toThrow(/^the index was made by a newer khojd$/);
    await expect(attach(place({ command: program("process.exit(7)") }))).rejects.toThrow("ended with status 7");
  });

  it("needs no home", async () => {
    const home = process.env.HOME;
    process.env.HOME = join(directory, "gone");
    try {
      const address = await listen("daemon");
      expect(await heard(place({ command: program(`console.log(${JSON.stringify(address)});`) }))).toBe("daemon");
    } finally {
      process.env.HOME = home;
    }
  });

  it("that is given up ends the program that was asked, and no other", async () => {
    const pid = join(directory, "pid");
    const command = program(`require("node:fs").writeFileSync(${JSON.stringify(pid)}, String(process.pid)); setInterval(() => 0, 1000);`);
    const stop = new AbortController();
    const attached = attach(place({ command }), 60_000, stop.signal);
    const failure = attached.catch((error: unknown) => error);
    const child = await vi.waitFor(() => Number(readFileSync(pid, "utf8")) || expect.fail("it has not started"), WAIT);
    stop.abort();
    expect(String(await failure)).toContain("nobody waits for khojd any longer");
    await vi.waitFor(() => { expect(() => process.kill(child, 0)).toThrow("ESRCH"); }, WAIT);
    await expect(attach(place({ command: ["/no/such/program"] }), 60_000, stop.signal)).rejects.toThrow("nobody waits");
  });

  it("does not wait for ever", async () => {
    await expect(attach(place({ command: program("setInterval(() => 0, 1000)") }), 300)).rejects.toThrow("within 0.3 seconds");
  });
});

describe("a connection through the command", () => {
  it("carries what is said, however much the command says to people", async () => {
    const command = program(`process.stderr.write("x".repeat(1e6), () => process.stdin.pipe(process.stdout));`);
    const stream = await bridge(place({ command }));
    stream.writer.end("hello");
    let text = "";
    for await (const part of stream.reader) text += String(part);
    expect(text).toBe("hello");
    stream.close();
  });

  it("says what is wrong where there is no such command", async () => {
    await expect(bridge(place({ command: ["/no/such/program"] }))).rejects.toThrow("names no program: /no/such/program");
  });
});

describe("the hello", () => {
  const hello: ServerHello = { protocol: [1, 1], version: "0.1.0", methods: [] };

  it("is taken from a khojd that speaks our protocol", () => {
    expect(agreed(hello, ["khojd"])).toBe(hello);
  });

  it("is refused with what to do about it", () => {
    expect(() => agreed(undefined, ["marksman"])).toThrow(new DaemonError("marksman is not khojd"));
    expect(() => agreed({ ...hello, protocol: [9, 9] }, [])).toThrow("update the plugin");
    expect(() => agreed({ ...hello, protocol: [0, 0] }, [])).toThrow("update khojd");
  });
});
