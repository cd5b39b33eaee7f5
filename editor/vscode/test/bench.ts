// How long activation takes: loading the code of the extension, and what it does before VS Code goes on.
import { appendFileSync } from "node:fs";
import * as vscode from "vscode";

import type { Parts } from "../src/extension";

const SETTLING = 2000; // milliseconds in which the extensions that VS Code has itself are started

export async function run(): Promise<void> {
  const extension = vscode.extensions.getExtension<Parts>("khojd.khoj");
  if (extension === undefined || extension.isActive) throw new Error("the extension is not there, or already active");
  await new Promise((resolve) => setTimeout(resolve, SETTLING));
  const began = performance.now();
  const { activation, host } = await extension.activate();
  const took = performance.now() - began;
  const connecting = performance.now();
  await host.channel.request("khoj/index/status", {});
  const ready = performance.now() - connecting;
  appendFileSync(process.env.KHOJ_TEST_REPORT ?? "", `${JSON.stringify({ took, activation, ready })}\n`);
}
