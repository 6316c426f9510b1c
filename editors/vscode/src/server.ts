/** The server's process and the session with it: started, restarted, stopped, one at a time. */
import * as vscode from "vscode";
import { CloseAction, ErrorAction, RevealOutputChannelOn, type LanguageClientOptions } from "vscode-languageclient/node";
import { Client } from "./client";
import { findServer, PROGRAM, type Search } from "./discovery";
import type { Environments } from "./environments";
import { LENS_COMMANDS } from "./features";
import { SELECTOR } from "./places";
import { ACKNOWLEDGE, CHANGED, OUTDATED, REINDEX, SUBSCRIBE } from "./protocol";
import { SECTION, serverSettings } from "./settings";

/** `missing`: the program was not found. `failed`: it was, but does not serve; `reason` says why. */
export type Phase = "stopped" | "starting" | "running" | "missing" | "failed";

/** How many sessions may end by themselves within how many milliseconds before it is left at that. */
const MOST_LOSSES = 4;
const WINDOW = 180_000;

export interface Channels {
  readonly client: vscode.LogOutputChannel;
  readonly server: vscode.LogOutputChannel;
  readonly trace: vscode.LogOutputChannel;
}

export class Server implements vscode.Disposable {
  private readonly changed = new vscode.EventEmitter<Phase>();
  private queue: Promise<void> = Promise.resolve();
  private waiting: Promise<void> | undefined;
  private readonly news = new vscode.EventEmitter<void>();
  readonly onDidChange = this.changed.event;
  /** Something in the index changed. */
  readonly onDidChangeNodes = this.news.event;
  private losses: number[] = [];
  phase: Phase = "stopped";
  reason = "";
  search: Search = { trail: [] };
  /** The session; only while `running`. */
  client: Client | undefined;

  constructor(
    private readonly extension: vscode.Extension<unknown>,
    private readonly environments: Environments,
    private readonly channels: Channels,
    private readonly options: LanguageClientOptions,
  ) {}

  /** Folders come and go within a session. */
  private readonly folders = vscode.workspace.onDidChangeWorkspaceFolders(async () => {
    await this.subscribe().catch((error) => this.channels.client.warn(`no news of changes: ${error}`));
    this.news.fire();
  });

  dispose(): void {
    void this.stop();
    this.folders.dispose();
    this.changed.dispose();
    this.news.dispose();
  }

  /** Look for the server anew and start it. One that waits for its turn stands for all; never fails: see `phase`. */
  restart(why: string): Promise<void> {
    this.channels.client.info(`the server is to be started: ${why}`);
    this.waiting ??= this.enqueue(async () => {
      this.waiting = undefined;
      await this.end();
      await this.begin();
    });
    return this.waiting;
  }

  stop(): Promise<void> {
    return this.enqueue(() => this.end());
  }

  /** Whether the server offers one of its own methods. */
  offers(method: string): boolean {
    const remora = this.client?.initializeResult?.capabilities.experimental?.remora;
    return Boolean(remora?.methods?.includes(method));
  }

  /** Ask the server; undefined where it does not run or does not know the method. */
  async ask<Result>(method: string, params: object): Promise<Result | undefined> {
    return this.client && this.offers(method) ? this.client.sendRequest<Result>(method, params) : undefined;
  }

  private enqueue(work: () => Promise<void>): Promise<void> {
    this.queue = this.queue.then(work, work);
    return this.queue;
  }

  private async begin(): Promise<void> {
    this.search = await findServer(this.environments);
    this.search.trail.forEach((line) => this.channels.client.info(line));
    const { program } = this.search;
    if (!program) {
      return this.become("missing", `${PROGRAM} was not found`);
    }
    this.become("starting");
    const options = { ...serverSettings(this.extension), trusted: vscode.workspace.isTrusted };
    try {
      this.client = await this.connect(program, options);
      await this.subscribe();
      this.become("running");
    } catch (error) {
      this.become("failed", error instanceof Error ? error.message : String(error));
    }
  }

  /** Without a folder there is nothing to hear of, and the server says so. */
  private async subscribe(): Promise<void> {
    if (vscode.workspace.workspaceFolders?.length) {
      await this.ask(SUBSCRIBE, { changed: true });
    }
  }

  /** A server that is older than this extension does not know all settings: it is started without those. */
  private async connect(program: string, options: Record<string, unknown>): Promise<Client> {
    try {
      return await this.session(program, options);
    } catch (error) {
      const unknown = unknownSettings(error).filter((name) => name in options);
      if (!unknown.length) {
        throw error;
      }
      this.channels.client.warn(`the server does not know the settings ${unknown.join(", ")}: going on without them`);
      const known = Object.entries(options).filter(([name]) => !unknown.includes(name));
      return this.session(program, Object.fromEntries(known));
    }
  }

  private async session(program: string, initializationOptions: Record<string, unknown>): Promise<Client> {
    const client: Client = new Client(program, {
      ...this.options,
      documentSelector: [SELECTOR, { scheme: "file", pattern: "**/*.pym" }],
      initializationOptions,
      initializationFailedHandler: () => false,
      errorHandler: {
        error: () => ({ action: ErrorAction.Continue }),
        closed: () => {
          this.lost(client);
          return { action: CloseAction.DoNotRestart, handled: true };
        },
      },
      outputChannel: this.channels.server,
      traceOutputChannel: this.channels.trace,
      revealOutputChannelOn: RevealOutputChannelOn.Never,
      markdown: { isTrusted: { enabledCommands: LENS_COMMANDS } },
    });
    client.onNotification(CHANGED, () => this.news.fire());
    await client.start();
    return client;
  }

  /** A session that ends by itself is begun again, unless that happens too often. */
  private lost(client: Client | undefined): void {
    if (!client || client !== this.client) {
      return; // it was ended, or never began: whoever did that knows
    }
    const now = Date.now();
    this.losses = [...this.losses.filter((time) => now - time < WINDOW), now];
    this.client = undefined;
    if (this.losses.length <= MOST_LOSSES) {
      this.become("starting");
      void this.restart("the session ended by itself");
    } else {
      this.become("failed", `the session ended ${this.losses.length} times within ${WINDOW / 60_000} minutes`);
    }
  }

  private async end(): Promise<void> {
    const client = this.client;
    this.client = undefined;
    this.become("stopped");
    try {
      await client?.dispose();
    } catch (error) {
      this.channels.client.warn(`the session did not end in order: ${error}`);
    }
  }

  /** What menus and views depend on. */
  private tellContexts(): void {
    const contexts = {
      phase: this.phase,
      offersOutdated: this.offers(OUTDATED),
      offersReindex: this.offers(REINDEX),
      offersAcknowledge: this.offers(ACKNOWLEDGE),
    };
    Object.entries(contexts).forEach(([name, value]) => {
      void vscode.commands.executeCommand("setContext", `${SECTION}.${name}`, value);
    });
  }

  private become(phase: Phase, reason = ""): void {
    [this.phase, this.reason] = [phase, reason];
    this.channels.client.info([`the server is ${phase}`, reason].filter(Boolean).join(": "));
    this.tellContexts();
    this.changed.fire(phase);
  }
}

function unknownSettings(error: unknown): string[] {
  const text = error instanceof Error ? error.message : "";
  return [...text.matchAll(/(\w+) \(initializationOptions\) is not a setting/g)].map((found) => found[1] as string);
}
