// What Node gives to Electron's page, for a page that has no Node: the socket goes through the test's own process.

type Listener = (...given: never[]) => void;

/** The part of Node's events that streams need. */
class Emitter {
  private readonly listeners = new Map<string, Set<Listener>>();

  on(name: string, run: Listener): this {
    const there = this.listeners.get(name) ?? new Set();
    this.listeners.set(name, there.add(run));
    return this;
  }

  once(name: string, run: Listener): this {
    const wrapped: Listener = (...given) => {
      this.off(name, wrapped);
      run(...given);
    };
    return this.on(name, wrapped);
  }

  off(name: string, run: Listener): this {
    this.listeners.get(name)?.delete(run);
    return this;
  }

  emit(name: string, ...given: unknown[]): void {
    for (const run of [...(this.listeners.get(name) ?? [])]) run(...(given as never[]));
  }
}

/** Node's bytes, as far as JSON-RPC needs them. */
export class Bytes extends Uint8Array {
  static override from(value: never): Bytes {
    const given: unknown = value;
    return typeof given === "string" ? new Bytes(new TextEncoder().encode(given)) : new Bytes(given as Uint8Array);
  }

  static allocUnsafe(length: number): Bytes {
    return new Bytes(length);
  }

  static byteLength(text: string): number {
    return new TextEncoder().encode(text).length;
  }

  override toString(): string {
    return new TextDecoder().decode(this);
  }
}

declare global {
  /** Given by the test: opens a socket and says its number; writes to it; closes it. */
  function socketOpen(address: string): Promise<number>;
  function socketWrite(socket: number, text: string): Promise<void>;
  function socketClose(socket: number): Promise<void>;
}

const sockets = new Map<number, Socket>();

class Socket extends Emitter {
  private number: Promise<number>;

  constructor(address: string) {
    super();
    this.number = socketOpen(address);
    this.number.then(
      (number) => {
        sockets.set(number, this);
        this.emit("connect");
      },
      (failure: unknown) => { this.emit("error", failure); },
    );
  }

  write(data: Uint8Array | string, encoding?: unknown, done?: () => void): boolean {
    const text = typeof data === "string" ? data : new TextDecoder().decode(data);
    void this.number.then((number) => socketWrite(number, text)).then(() => (typeof encoding === "function" ? (encoding as () => void) : done)?.());
    return true;
  }

  end(): void {
    this.destroy();
  }

  destroy(): void {
    void this.number.then(socketClose);
  }
}

/** Called by the test: something has come over a socket, or it has ended. */
export function heard(number: number, text: string | null): void {
  const socket = sockets.get(number);
  if (text === null) socket?.emit("close");
  else socket?.emit("data", Bytes.from(text as never));
}

const path = {
  sep: "/",
  join: (...parts: string[]) => parts.join("/").replace(/\/+/g, "/"),
  dirname: (name: string) => name.replace(/\/[^/]*$/, ""),
  isAbsolute: (name: string) => name.startsWith("/"),
  relative: (from: string, to: string) => (to === from ? "" : to.startsWith(`${from}/`) ? to.slice(from.length + 1) : `../${to}`),
};
const refuse = () => {
  throw new Error("no program can be started from this page");
};

/** Modules of Node by name. */
export const modules: Readonly<Record<string, unknown>> = {
  net: { connect: (address: string) => new Socket(address) },
  child_process: { spawn: refuse },
  crypto: { randomUUID: () => crypto.randomUUID(), randomBytes: refuse },
  fs: {},
  "fs/promises": { realpath: (name: string) => Promise.resolve(name) },
  path,
  url: {
    pathToFileURL: (name: string) => new URL(`file://${encodeURI(name).replace(/[?#]/g, encodeURIComponent)}`),
    fileURLToPath: (address: string) => decodeURIComponent(new URL(address).pathname),
  },
  util: { TextDecoder },
};

/** Node's globals. */
export const globals = {
  Buffer: Bytes,
  process: { pid: 1, platform: "linux", env: {} },
  setImmediate: (run: () => void) => setTimeout(run, 0),
  clearImmediate: (timer: number) => { clearTimeout(timer); },
};
