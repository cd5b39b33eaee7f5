// What the parts of the extension have in common.
import { cancelled, reason, unlinked, type Channel } from "khojd-common/channel";
import type { Known } from "khojd-common/filters";
import type { SimilarParams } from "khojd-common/protocol";
import type { Remembered } from "khojd-common/remembered";
import * as vscode from "vscode";

import type { Session } from "./session";

export interface Host {
  readonly session: Session;
  readonly channel: Channel;
  readonly output: vscode.LogOutputChannel;
  /** Values for the completion of filters. */
  readonly values: Remembered<Known>;
  /** Show what is like a place in the view Related. */
  similar(params: SimilarParams, name: string): Promise<void>;
  /** Do something that a person has asked for. What goes wrong is said in one line. */
  run<T>(work: () => Promise<T>): Promise<T | undefined>;
}

/** Say in one line why something that a person asked for was not done. */
export async function complain(failure: unknown, output: vscode.LogOutputChannel): Promise<void> {
  if (cancelled(failure)) return;
  output.error(failure instanceof Error ? failure : String(failure));
  if ((await vscode.window.showErrorMessage(`Khoj: ${unlinked(reason(failure))}`, "Show Log")) !== undefined) output.show();
}
