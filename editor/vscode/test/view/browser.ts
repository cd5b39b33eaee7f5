// The page of the chat view, as the extension makes it, in a real browser, with a host that the tests speak for.
import { build } from "esbuild";
import { type Browser, chromium, type Page } from "playwright-core";
import { fileURLToPath } from "node:url";

import { begin, type ChatValue, type Conversation, empty, finish, receive } from "khojd-common/conversation";
import type { ChatResult, ChatStarted, Citation } from "khojd-common/protocol";
import type { Shown, ToHost, ToView } from "../../src/chat/messages";
import { page as markup } from "../../src/chat/page";

const HERE = fileURLToPath(new URL("../..", import.meta.url));
const HOST = "http://chat.test";
const PROGRAM = process.env.KHOJ_TEST_CHROMIUM ?? "/usr/bin/chromium";

let files: Promise<Map<string, string>> | undefined;
let browser: Promise<Browser> | undefined;

/** Script and style, bundled as esbuild.mjs does it. */
function bundled(): Promise<Map<string, string>> {
  files ??= build({
    absWorkingDir: HERE, bundle: true, write: false, entryPoints: { "chat-view": "src/chat-view/main.ts" }, outdir: "dist",
    platform: "browser", target: "chrome122", format: "iife", alias: { entities: "./src/chat-view/entities.ts" },
  }).then(({ outputFiles }) => new Map(outputFiles.map((file) => [file.path.slice(file.path.lastIndexOf("/")), file.text])));
  return files;
}

/** Pages that can be used again: making one takes longer than most tests. */
const idle: View[] = [];

export async function closeBrowser(): Promise<void> {
  idle.length = 0;
  await (await browser)?.close();
  browser = undefined;
}

/** The view in a page of its own. */
export class View {
  readonly heard: ToHost[] = [];
  /** Addresses that the page asked for, beyond its own files. */
  readonly asked: string[] = [];
  readonly problems: string[] = [];
  conversation: Conversation = empty();
  private waiting: (() => void)[] = [];

  private constructor(readonly page: Page) {}

  static async open(): Promise<View> {
    const again = idle.pop();
    if (again !== undefined) {
      await again.page.evaluate(() => { sessionStorage.clear(); });
      for (const list of [again.heard, again.asked, again.problems]) list.length = 0;
      again.conversation = empty();
      await again.load();
      return again;
    }
    browser ??= chromium.launch({
      executablePath: PROGRAM, headless: true,
      args: ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
    });
    const context = await (await browser).newContext({ viewport: { width: 420, height: 700 } });
    const view = new View(await context.newPage());
    await view.prepare();
    await view.load();
    return view;
  }

  close(): void {
    idle.push(this);
  }

  /** Load the page, as VS Code does whenever the view is shown again. */
  async load(): Promise<void> {
    await this.page.goto(`${HOST}/`);
    await this.until((message) => message.type === "ready");
  }

  /** Say one thing or more, and wait until it is shown. */
  async say(...messages: ToView[]): Promise<void> {
    await this.page.evaluate((sent) => new Promise((done) => {
      for (const message of sent) window.postMessage(message, "*");
      // What it shows for that is there with the frame after the next one.
      requestAnimationFrame(() => requestAnimationFrame(done));
    }), messages);
  }

  async show(conversation: Conversation, more: Partial<Shown> = {}): Promise<void> {
    this.conversation = conversation;
    const busy = conversation.turns.at(-1)?.state === "running";
    const choice = { persona: "", model: "", filters: null };
    await this.say({ type: "shown", shown: { conversation, busy, choice, about: [], replaces: "", ...more } });
  }

  /** Ask, and stream values. */
  async stream(question: string, values: readonly ChatValue[]): Promise<void> {
    await this.show(begin(this.conversation, question));
    this.conversation = values.reduce(receive, this.conversation);
    await this.say(...values.map((value): ToView => ({ type: "value", value })));
  }

  async value(value: ChatValue): Promise<void> {
    this.conversation = receive(this.conversation, value);
    await this.say({ type: "value", value });
  }

  async end(more: Partial<ChatResult> = {}): Promise<void> {
    const turn = this.conversation.turns.at(-1);
    await this.show(finish(this.conversation, result({ citations: [...(turn?.citations ?? [])], ...more })));
  }

  /** The next message that fits; those before it are passed over. */
  async until(fits: (message: ToHost) => boolean): Promise<ToHost> {
    const deadline = Date.now() + 30_000;
    for (;;) {
      const found = this.heard.find((message) => fits(message));
      if (found !== undefined) {
        this.heard.splice(0, this.heard.indexOf(found) + 1);
        return found;
      }
      if (Date.now() > deadline) throw new Error(`not heard; heard ${JSON.stringify(this.heard)}`);
      await new Promise<void>((done) => {
        this.waiting.push(done);
        setTimeout(done, 200);
      });
    }
  }

  /** The next message of a kind. */
  async told<T extends ToHost["type"]>(type: T): Promise<Extract<ToHost, { type: T }>> {
    return (await this.until((message) => message.type === type)) as Extract<ToHost, { type: T }>;
  }

  private async prepare(): Promise<void> {
    const { page } = this;
    await page.exposeFunction("hear", (message: ToHost) => {
      this.heard.push(message);
      for (const done of this.waiting.splice(0)) done();
    });
    await page.addInitScript(() => {
      const own = window as unknown as { hear(message: unknown): void; acquireVsCodeApi?(): object };
      own.acquireVsCodeApi = () => ({
        postMessage: (message: unknown) => { own.hear(message); },
        getState: () => JSON.parse(sessionStorage.getItem("state") ?? "null") as unknown ?? undefined,
        setState: (state: unknown) => { sessionStorage.setItem("state", JSON.stringify(state)); },
      });
    });
    page.on("pageerror", (failure) => { this.problems.push(String(failure)); });
    page.on("console", (message) => { if (message.type() === "error") this.problems.push(message.text()); });
    const served = await bundled();
    await page.route("**/*", (route) => {
      const { origin, pathname } = new URL(route.request().url());
      const file = served.get(pathname);
      if (origin === HOST && pathname === "/") return route.fulfill({ contentType: "text/html", body: markup("/chat-view.js", "/chat-view.css", HOST) });
      if (origin === HOST && file !== undefined) {
        return route.fulfill({ contentType: pathname.endsWith(".css") ? "text/css" : "text/javascript", body: file });
      }
      if (pathname !== "/favicon.ico") this.asked.push(route.request().url());
      return route.abort();
    });
  }
}

const SOMEWHERE = { uri: "file:///notes/knee.md", range: { start: { line: 2, character: 0 }, end: { line: 2, character: 9 } } };

export function citation(more: Partial<Citation> = {}): Citation {
  return {
    number: 1, at: 0, location: SOMEWHERE, path: "/notes/knee.md", title: "Running plan", headings: ["The knee"], quote: "A stabbing pain.",
    hash: "", weak: false, state: "fresh", ...more,
  };
}

export function result(more: Partial<ChatResult> = {}): ChatResult {
  return {
    conversation: "c1", title: "Knees", turn: "t1", state: "complete", reason: "", text: "", extractive: false, persona: "default",
    provider: "local", model: "qwen3", citations: [], removed: 0, references: [], steps: [], proposals: [],
    usage: {
      promptTokens: 812, answerTokens: 96, requests: 1, mainPromptTokens: 812, mainAnswerTokens: 96, mainRequests: 1, cost: 0,
      retrievalSeconds: 0.1, firstTokenSeconds: 0.2, totalSeconds: 2, tokensPerSecond: 48,
    },
    ...more,
  };
}

export const started: ChatStarted = { kind: "started", conversation: "c1", turn: "t1", title: "Knees" };

export function step(text: string, kind: "search" | "notice" = "search"): ChatValue {
  return { kind: "step", step: { kind, text, tool: "", data: {} } };
}

export function text(part: string): ChatValue {
  return { kind: "text", text: part };
}

/** The values of an answer that cites, in which `{1}` stands for a citation's marker and what follows it is said next. */
export function answering(written: string, cited: Record<number, Partial<Citation>> = {}): ChatValue[] {
  let said = "";
  return written.split(/(\{\d+\})/).flatMap((piece): ChatValue[] => {
    const number = Number(/^\{(\d+)\}$/.exec(piece)?.[1] ?? 0);
    if (number === 0) {
      said += piece;
      return piece === "" ? [] : [text(piece)];
    }
    const at = said.length;
    said += `[${number}]`;
    return [text(`[${number}]`), { kind: "citation", citation: citation({ number, at, ...cited[number] }) }];
  });
}
