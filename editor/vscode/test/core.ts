// All tests but those of chat.
import { runTests } from "./mocha";

export function run(): Promise<void> {
  return runTests(async () => {
    await import("./activation.test");
    await import("./search.test");
    await import("./features.test");
    await import("./views.test");
    await import("./reconnect.test");
  });
}
