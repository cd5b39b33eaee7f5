// A model server that says what it is told to say.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** What is said for a request, in pieces; `hold` is waited for before the last one. */
export interface Saying {
  thinking?: string;
  pieces: readonly string[];
  hold?: Promise<void>;
}

/** Speaks the protocol of OpenAI, with one model `tiny`. */
export class Model {
  readonly asked: string[] = [];
  /** How often it was asked which models it has. */
  listed = 0;
  /** Requests whose client has left before the end. */
  left = 0;
  private readonly server: Server;

  constructor(private readonly answer: (question: string, all: string) => Saying) {
    this.server = createServer((request, response) => void this.serve(request, response));
  }

  async listen(): Promise<void> {
    await new Promise<void>((resolve) => this.server.listen(0, "127.0.0.1", resolve));
  }

  /** Lines of config.toml that have khojd use it. */
  get config(): string {
    const { port } = this.server.address() as AddressInfo;
    return (
      `[providers.tiny]\nkind = "openai"\nbase_url = "http://127.0.0.1:${port}/v1"\n[models]\nchat = ["tiny/tiny"]\n` +
      "[chat]\nrewrite = false\ntitles = false\n"
    );
  }

  close(): void {
    this.server.close();
    this.server.closeAllConnections();
  }

  private async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.method === "GET") {
      this.listed += 1;
      response.setHeader("content-type", "application/json");
      response.end(JSON.stringify({ object: "list", data: [{ id: "tiny", object: "model" }] }));
      return;
    }
    let body = "";
    for await (const part of request.setEncoding("utf8")) body += String(part);
    const { messages } = JSON.parse(body) as { messages: { content: unknown }[] };
    const all = messages.map((message) => String(message.content));
    const question = all.at(-1) ?? "";
    this.asked.push(question);
    const { thinking, pieces, hold } = this.answer(question, all.join("\n"));
    response.on("close", () => {
      if (!response.writableEnded) this.left += 1;
    });
    response.setHeader("content-type", "text/event-stream");
    const say = (delta: object, reason: string | null = null) => {
      const choices = [{ index: 0, delta, finish_reason: reason }];
      response.write(`data: ${JSON.stringify({ id: "1", object: "chat.completion.chunk", choices })}\n\n`);
    };
    if (thinking !== undefined) say({ reasoning_content: thinking });
    for (const [index, piece] of pieces.entries()) {
      if (hold !== undefined && index === pieces.length - 1) await hold;
      say({ content: piece });
    }
    say({}, "stop");
    response.end("data: [DONE]\n\n");
  }
}
