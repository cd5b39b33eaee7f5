// The tests of chat. The model says what tests/editors/vscode/test_chat.py has it say.
import { runTests } from "./mocha";

export function run(): Promise<void> {
  return runTests(async () => {
    await import("./chat.test");
    await import("./participant.test");
    await import("./chat-lost.test");
  });
}
