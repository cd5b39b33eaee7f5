// One connection to khojd by the language client. Loaded when it is first needed: it is most of the code.
import { agreed, attach, type Stream } from "khojd-common/daemon";
import { PROTOCOL, type ChatShowParams, type IndexStatus, type Location, type Position, type ServerHello } from "khojd-common/protocol";
import { unlinked, type Wire } from "khojd-common/channel";
import * as vscode from "vscode";
import {
  CancellationTokenSource,
  CloseAction,
  ErrorAction,
  LanguageClient,
  MessageType,
  ProgressType,
  ShowMessageNotification,
  ShowMessageRequest,
  vsdiag,
  type InitializeParams,
  type LanguageClientOptions,
  type MessageActionItem,
} from "vscode-languageclient/node";

import { rangeOf, uriOf } from "./hits";
import * as settings from "./settings";

/** Notes that the standard features are for. */
const NOTES = [
  { scheme: "file", language: "markdown" },
  { scheme: "file", language: "org" },
];
const REFERENCES = "editor.action.showReferences";
const ANY = new ProgressType<unknown>();

/** The language client with its own words in the log only; what a person must know is said in one line elsewhere. */
class Quiet extends LanguageClient {
  override error(message: string, data?: unknown): void {
    super.error(message, data, false);
  }

  /** What was never running is not stopped: the base class would reject, where nobody hears it. */
  override stop(timeout?: number): Promise<void> {
    return this.isRunning() ? super.stop(timeout) : Promise.resolve();
  }

  protected override fillInitializeParams(params: InitializeParams): void {
    super.fillInitializeParams(params);
    params.workspaceFolders = null; // they are told later: see Connection.offer
  }
}

/** A connection over which both have said hello. */
export interface Connection {
  readonly wire: Wire;
  readonly hello: ServerHello;
  /** Tell khojd which folders of the workspace are open; it asks about those that it does not know. */
  offer(folders: readonly vscode.WorkspaceFolder[]): void;
  /** Tell khojd what the settings say now. */
  configure(): void;
  close(): Promise<void>;
}

export interface Listener {
  lost(): void;
  status(status: IndexStatus): void;
  /** Whether a file is in a folder of khojd, as soon as those are known. */
  indexed(uri: vscode.Uri): Promise<boolean>;
  /** Show the answer to a question that a code action asks. */
  ask(params: ChatShowParams): Promise<unknown>;
}

/**
 * Attach to khojd, which is started if need be.
 *
 * @throws DaemonError, or what the daemon has refused the hello with.
 */
export async function connect(output: vscode.LogOutputChannel, version: string, listener: Listener): Promise<Connection> {
  const place = settings.place();
  const stream = await attach(place);
  const client = new Quiet(settings.SECTION, "khojd", () => Promise.resolve(stream), options(output, version, listener));
  client.onNotification(ShowMessageNotification.type, ({ type, message }) => void said(type, message));
  client.onRequest(ShowMessageRequest.type, async ({ type, message, actions }) => (await said(type, message, actions)) ?? null);
  client.onNotification("khoj/statusChanged", (status: IndexStatus) => { listener.status(status); });
  try {
    await client.start();
    const experimental = client.initializeResult?.capabilities.experimental as { khoj?: ServerHello } | undefined;
    return connection(client, stream, agreed(experimental?.khoj, place.command));
  } catch (failure) {
    await ended(client, stream);
    throw failure;
  }
}

/** Say what khojd says; the result is the choice. The language client itself would make links of words of notes. */
function said(type: MessageType, message: string, actions: readonly MessageActionItem[] = []) {
  const text = unlinked(message);
  switch (type) {
    case MessageType.Error: return vscode.window.showErrorMessage(text, ...actions);
    case MessageType.Warning: return vscode.window.showWarningMessage(text, ...actions);
    default: return vscode.window.showInformationMessage(text, ...actions);
  }
}

function options(output: vscode.LogOutputChannel, version: string, listener: Listener): LanguageClientOptions {
  return {
    documentSelector: NOTES,
    outputChannel: output,
    initializationOptions: () => ({
      khoj: {
        protocol: PROTOCOL,
        client: `khoj ${version} in ${vscode.env.appName} ${vscode.version}`,
        folders: settings.folders(),
        features: settings.features(),
      },
    }),
    errorHandler: {
      error: () => ({ action: ErrorAction.Continue, handled: true }),
      closed: () => {
        listener.lost();
        return { action: CloseAction.DoNotRestart, handled: true };
      },
    },
    initializationFailedHandler: () => false,
    middleware: {
      // VS Code has an outline of Markdown, and would show both.
      provideDocumentSymbols: (document, token, next) =>
        document.languageId === "markdown" && !settings.wanted("documentSymbol") ? undefined : next(document, token),
      // Links in a file of somebody's program are none of our business; what is asked for by hand is answered there, too.
      provideDiagnostics: async (document, previous, token, next) => {
        const uri = document instanceof vscode.Uri ? document : document.uri;
        if (await listener.indexed(uri)) return next(document, previous, token);
        return { kind: vsdiag.DocumentDiagnosticReportKind.full, items: [] };
      },
      resolveCodeLens: async (lens, token, next) => {
        const resolved = await next(lens, token);
        if (resolved?.command?.command === REFERENCES) resolved.command = references(resolved.command);
        return resolved;
      },
      executeCommand: (command, args: unknown[], next): unknown =>
        command === "khoj.chat.show" ? listener.ask(args[0] as ChatShowParams) : next(command, args),
      workspace: {
        configuration: ({ items }) =>
          items.map(({ section }) => (section === settings.SECTION ? { features: settings.features() } : null)),
        didChangeWorkspaceFolders: (change, next) => (settings.offersFolders() ? next(change) : Promise.resolve()),
      },
    },
  };
}

/** The command that shows references, with VS Code's own values where khojd has those of the protocol. */
function references(command: vscode.Command): vscode.Command {
  const [uri, position, locations] = command.arguments as [string, Position, Location[]];
  return {
    ...command,
    arguments: [
      uriOf({ uri }),
      new vscode.Position(position.line, position.character),
      locations.map((location) => new vscode.Location(uriOf(location), rangeOf(location.range))),
    ],
  };
}

function connection(client: Quiet, stream: Stream, hello: ServerHello): Connection {
  return {
    hello,
    wire: {
      async send(method, params, signal) {
        const stop = new CancellationTokenSource();
        const abort = () => { stop.cancel(); };
        signal?.addEventListener("abort", abort);
        if (signal?.aborted === true) abort();
        try {
          return await client.sendRequest<unknown>(method, params, stop.token);
        } finally {
          signal?.removeEventListener("abort", abort);
        }
      },
      listen(token, take) {
        const listening = client.onProgress(ANY, token, take);
        return () => { listening.dispose(); };
      },
    },
    offer(folders) {
      const added = folders.map(({ uri, name }) => ({ uri: client.code2ProtocolConverter.asUri(uri), name }));
      tell(client, "workspace/didChangeWorkspaceFolders", { event: { added, removed: [] } });
    },
    configure() {
      tell(client, "workspace/didChangeConfiguration", { settings: { khoj: { features: settings.features() } } });
    },
    close: () => ended(client, stream),
  };
}

function tell(client: Quiet, method: string, params: object): void {
  client.sendNotification(method, params).catch((failure: unknown) => { client.error(`${method} was not told`, failure); });
}

async function ended(client: Quiet, stream: Stream): Promise<void> {
  try {
    await client.dispose(1000);
  } catch {
    // It was never started, or its connection is gone: that is what was wanted.
  } finally {
    stream.close();
  }
}
