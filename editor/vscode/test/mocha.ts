// Runs mocha inside the extension host. What it says goes to the file KHOJ_TEST_REPORT, too: the log of a window is cut short.
import { appendFileSync } from "node:fs";
import Mocha from "mocha";

/** Run tests that `load` declares; rejects when one failed. */
export async function runTests(load: () => Promise<unknown>): Promise<void> {
  const mocha = new Mocha({ ui: "bdd", timeout: 60_000, slow: 2_000, reporter: Report, ...only() });
  mocha.suite.emit("pre-require", globalThis, "", mocha);
  await load();
  await new Promise<void>((resolve, reject) => {
    mocha.run((failures) => {
      if (failures === 0) resolve();
      else reject(new Error(`${failures} tests failed`));
    });
  });
}

function only(): Mocha.MochaOptions {
  const grep = process.env.KHOJ_TEST_ONLY ?? "";
  return grep === "" ? {} : { grep };
}

class Report extends Mocha.reporters.Base {
  constructor(runner: Mocha.Runner, options: Mocha.MochaOptions) {
    super(runner, options);
    runner.on("test", (test) => { say(`begins ${test.fullTitle()}`); });
    runner.on("pass", (test) => { say(`ok ${test.fullTitle()} (${test.duration ?? 0} ms)`); });
    runner.on("fail", (test, failure: Error) => { say(`FAILED ${test.fullTitle()}\n${told(failure).replace(/^/gm, "  ")}`); });
    runner.on("end", () => { say(`${this.stats.passes} passed, ${this.stats.failures} failed`); });
  }
}

/** What is known of a failure. A stack does not always have the message. */
function told({ message, stack = "" }: Error): string {
  return stack.includes(message) ? stack : `${message}\n${stack}`;
}

/** Put a line into the report. */
export function say(line: string): void {
  console.log(line);
  const file = process.env.KHOJ_TEST_REPORT ?? "";
  if (file !== "") appendFileSync(file, `${line}\n`);
}
