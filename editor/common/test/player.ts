// An editor that takes part in tests/editors/together: it does what the test says over a socket, and tells what came of it.
import * as net from "node:net";
import { createInterface } from "node:readline";

/** What is asked: an act, and what it is about. */
export type Asked = Readonly<Record<string, string>>;

/** Connect, and do what is asked until it is to leave. */
export async function play(name: string, acts: Readonly<Record<string, (asked: Asked) => Promise<unknown>>>): Promise<void> {
  const socket = net.connect(process.env.KHOJD_CONDUCTOR ?? "");
  socket.write(`${JSON.stringify({ player: name })}\n`);
  for await (const line of createInterface({ input: socket })) {
    const asked = JSON.parse(line) as Asked;
    if (asked.do === "leave") break;
    let answer: object;
    try {
      const act = acts[asked.do ?? ""];
      if (act === undefined) throw new Error("it cannot do that");
      answer = { value: (await act(asked)) ?? true };
    } catch (failure) {
      answer = { failure: failure instanceof Error ? failure.message : String(failure) };
    }
    socket.write(`${JSON.stringify(answer)}\n`);
  }
  socket.destroy();
}
