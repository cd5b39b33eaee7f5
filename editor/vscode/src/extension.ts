// What VS Code calls: everything is registered here, and little is loaded before it is needed.
import { unlinked } from "khojd-common/channel";
import { known } from "khojd-common/filters";
import { copied } from "khojd-common/links";
import type { SimilarParams } from "khojd-common/protocol";
import { Remembered } from "khojd-common/remembered";
import * as vscode from "vscode";

import type { Chat } from "./chat/chat";
import { registerChat } from "./chat/register";
import * as commands from "./commands";
import { Files, type Node } from "./files";
import { label, type Found } from "./hits";
import { complain, type Host } from "./host";
import { insertLink, Picker, type HitItem } from "./picker";
import { Related, subject } from "./related";
import * as searches from "./searches";
import { Session } from "./session";
import { forgetMarks, show } from "./show";
import { StatusBar } from "./statusbar";

/** What the extension is to its tests. */
export interface Parts {
  readonly host: Host;
  readonly related: Related;
  readonly files: Files;
  readonly statusBar: StatusBar;
  readonly chat: Chat;
  /** The search or grep that is open. */
  readonly picker: () => Picker | undefined;
  /** Milliseconds that activation took. */
  readonly activation: number;
}

let session: Session | undefined;

export function activate(context: vscode.ExtensionContext): Parts {
  const began = performance.now();
  const output = vscode.window.createOutputChannel("Khoj", { log: true });
  const { version } = context.extension.packageJSON as { version: string };
  const made = new Session(output, version, async ({ message, context: places = [] }) => {
    await chat.begin();
    for (const place of places) {
      const label = vscode.workspace.asRelativePath(vscode.Uri.parse(place.textDocument.uri));
      chat.talk.attach({ label, place });
    }
    await chat.talk.ask(message);
  });
  session = made;
  let asked = 0;
  const host: Host = {
    session: made,
    channel: made.channel,
    output,
    values: new Remembered(() => known(made.channel)),
    similar: (params: SimilarParams, name: string) => related.similar(params, name),
    async run(work) {
      asked += 1;
      try {
        return await work();
      } catch (failure) {
        await complain(failure, output);
        return undefined;
      } finally {
        asked -= 1;
      }
    },
  };
  const related = new Related(host);
  const files = new Files(host);
  const statusBar = new StatusBar(made);
  context.subscriptions.push(output, made, related, files, statusBar, forgetMarks(), ...register(host, related, files));
  const chat = registerChat(host, context);

  // Who did not ask for anything is told once; who did is told by what they asked.
  let told = "";
  context.subscriptions.push(made.onState((state) => {
    if (state.kind !== "problem" || asked > 0 || told === state.reason) return;
    told = state.reason;
    void vscode.window.showWarningMessage(`Khoj: ${unlinked(state.reason)}`, "Open Settings", "Show Log").then((answer) => {
      if (answer === "Open Settings") void vscode.commands.executeCommand("workbench.action.openSettings", "khoj.command");
      else if (answer === "Show Log") output.show();
    });
  }));
  setImmediate(() => { made.open(); });
  return { host, related, files, statusBar, chat, picker: () => Picker.current, activation: performance.now() - began };
}

export async function deactivate(): Promise<void> {
  await session?.close();
}

function register(host: Host, related: Related, files: Files): vscode.Disposable[] {
  // What VS Code hands to a command is what the places have that name it in package.json.
  const command = (name: string, work: (...args: never[]) => unknown) =>
    vscode.commands.registerCommand(`khoj.${name}`, (...args: never[]) => host.run(async () => { await work(...args); }));
  return [
    command("search", (text?: unknown) => { searches.search(host, undefined, typeof text === "string" ? text : undefined); }),
    command("searchNote", () => { searches.search(host, searches.thisNote(), ""); }),
    command("searchFolder", (folder?: vscode.Uri) => { searches.search(host, searches.thisFolder(folder)); }),
    command("grep", (text?: unknown) => { searches.grep(host, typeof text === "string" ? text : undefined); }),
    command("insertLink", () => { searches.linkTo(host); }),
    command("similar", () => { const { params, name } = subject(false); return host.similar(params, name); }),
    command("similarNote", () => { const { params, name } = subject(true); return host.similar(params, name); }),
    command("related.follow", () => { related.follow(true); }),
    command("related.stay", () => { related.follow(false); }),

    command("open", (found: Found) => show(found.location, { marks: found.marks })),
    command("openToSide", (found: Found) => show(found.location, { marks: found.marks, beside: true })),
    command("linkTo", (found: Found) => insertLink(host, found)),
    command("copyLink", (found: Found) => vscode.env.clipboard.writeText(copied(found))),
    command("similarTo", (found: Found) => {
      const { uri, range } = found.location;
      return host.similar({ textDocument: { uri }, range }, label(found));
    }),

    command("picker.complete", () => { Picker.current?.complete(); }),
    command("picker.openToSide", (item?: HitItem) => Picker.current?.openBeside(item)),
    command("picker.insertLink", (item?: HitItem) => Picker.current?.insertLink(item)),
    command("picker.copyLink", (item?: HitItem) => Picker.current?.copyLink(item)),
    command("picker.similar", (item?: HitItem) => Picker.current?.similar(item)),

    command("todayNote", () => commands.today(host)),
    command("newNote", () => commands.create(host)),
    command("updateContents", () => commands.contents(host)),

    command("index.show", () => files.focus()),
    command("index.update", () => commands.update(host)),
    command("index.updateFile", (node?: Node) => commands.update(host, node)),
    command("index.pause", () => commands.pause(host)),
    command("index.resume", () => commands.resume(host)),
    command("index.status", () => commands.status(host)),
    command("index.addFolder", (folder?: vscode.Uri) => commands.addFolder(host, folder instanceof vscode.Uri ? folder : undefined)),
    command("index.removeFolder", (node?: Node) => commands.removeFolder(host, node)),
    command("index.explain", (node?: Node) => { commands.explain(node); }),
    command("index.more", (state: Parameters<Files["more"]>[0]) => { files.more(state); }),

    command("openConfig", () => commands.openConfig(host)),
    command("openLog", () => commands.openLog(host)),
    command("showOutput", () => { host.output.show(); }),
    command("reconnect", () => host.session.reconnect()),
  ];
}
