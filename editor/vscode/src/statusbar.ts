// The state of the index in the status bar.
import { line } from "khojd-common/status";
import * as vscode from "vscode";

import type { Session } from "./session";

export class StatusBar implements vscode.Disposable {
  private readonly item = vscode.window.createStatusBarItem("khoj.status", vscode.StatusBarAlignment.Right, 90);
  private readonly ends: readonly { dispose(): void }[];

  constructor(private readonly session: Session) {
    this.item.name = "Khoj";
    this.ends = [this.item, session.onState(() => { this.update(); }), session.onStatus(() => { this.update(); })];
    this.update();
    this.item.show();
  }

  /** What is shown, and what it says of that. */
  get shown(): { text: string; detail: string } {
    return { text: this.item.text, detail: this.words()[1] };
  }

  dispose(): void {
    for (const end of this.ends) end.dispose();
  }

  private update(): void {
    const [text, detail, wrong] = this.words();
    this.item.text = text;
    this.item.command = this.session.state.kind === "problem" ? "khoj.reconnect" : "khoj.index.show";
    this.item.tooltip = `khojd: ${detail}`;
    this.item.accessibilityInformation = { label: `Khoj: ${detail}` };
    (this.item as { backgroundColor: vscode.ThemeColor | undefined }).backgroundColor =
      wrong ? new vscode.ThemeColor("statusBarItem.warningBackground") : undefined;
  }

  private words(): [text: string, detail: string, wrong: boolean] {
    const { state, status } = this.session;
    switch (state.kind) {
      case "idle": return ["$(notebook) Khoj", "nothing was asked yet", false];
      case "connecting": return ["$(loading~spin) Khoj", "connecting", false];
      case "problem": return ["$(warning) Khoj", `${state.reason}\nclick: try again`, true];
      case "ready": {
        if (status === undefined) return ["$(notebook) Khoj", "connected", false];
        const { text, detail, kind } = line(status);
        const icon = { ok: "notebook", busy: "sync~spin", paused: "debug-pause", problem: "warning" }[kind];
        return [`$(${icon}) Khoj${text === "" ? "" : ` ${text}`}`, `${detail}\nclick: files and what can be done`, kind === "problem"];
      }
    }
  }
}
