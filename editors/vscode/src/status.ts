/** The language status item: how the index of the file in front is doing. */
import * as vscode from "vscode";
import { pythonEditor, realPath, SELECTOR } from "./places";
import { STATUS, type HubStatus } from "./protocol";
import type { Server } from "./server";

/** Milliseconds between two looks while something is going on, and after news. */
const WHILE_BUSY = 500;
const AFTER_NEWS = 100;

export class Status implements vscode.Disposable {
  readonly item = vscode.languages.createLanguageStatusItem("remoraHub", SELECTOR);
  private readonly subscriptions: vscode.Disposable[];
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly server: Server) {
    this.item.name = "Remora Hub";
    this.subscriptions = [
      this.item,
      server.onDidChange(() => this.refresh()),
      server.onDidChangeNodes(() => this.refreshIn(AFTER_NEWS)),
      vscode.window.onDidChangeActiveTextEditor(() => this.refreshIn(AFTER_NEWS)),
    ];
    void this.refresh();
  }

  dispose(): void {
    clearTimeout(this.timer);
    this.subscriptions.forEach((subscription) => subscription.dispose());
  }

  async refresh(): Promise<void> {
    const status = this.server.phase === "running" ? await this.ask() : undefined;
    if (!status) {
      return this.show(...withoutServer(this.server), "error");
    }
    const { state, state_reason, revision, indexed_nodes, pending } = status;
    const numbers = [`revision ${revision}`, `${indexed_nodes} nodes`, `${pending} pending`].join(" · ");
    this.show(state, state_reason ? `${state_reason} · ${numbers}` : numbers, state === "degraded" ? "warning" : "fine");
    this.item.busy = state === "indexing" || pending > 0;
    if (this.item.busy) {
      this.refreshIn(WHILE_BUSY);
    }
  }

  private show(text: string, detail: string, how: "fine" | "warning" | "error"): void {
    const { Information, Warning, Error } = vscode.LanguageStatusSeverity;
    this.item.text = `Remora Hub: ${text}`;
    this.item.detail = detail;
    this.item.severity = { fine: Information, warning: Warning, error: Error }[how];
    this.item.busy = this.server.phase === "starting";
    this.item.command =
      how === "error"
        ? { command: "remoraHub.showClientLog", title: "Show Log" }
        : { command: "remoraHub.showStatus", title: "Show Status" };
    if (this.server.phase === "starting" || this.server.phase === "stopped") {
      this.item.severity = Information;
    }
  }

  private refreshIn(milliseconds: number): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.refresh(), milliseconds);
  }

  private async ask(): Promise<HubStatus | undefined> {
    try {
      const all = await hubs(this.server);
      const uri = pythonEditor()?.document.uri;
      const folder = uri && vscode.workspace.getWorkspaceFolder(uri);
      return (folder && all.find((hub) => hub.project_root === realPath(folder))) ?? all[0];
    } catch {
      return undefined; // the session ended meanwhile: its end is shown by itself
    }
  }
}

/** The status of each root of the session. */
export async function hubs(server: Server): Promise<HubStatus[]> {
  const first = await server.ask<HubStatus>(STATUS, {});
  return first ? [first, ...first.others] : [];
}

function withoutServer({ phase, reason }: Server): [text: string, detail: string] {
  switch (phase) {
    case "missing":
      return ["not installed", reason];
    case "failed":
      return ["failed", reason];
    case "running":
      return ["no project", "open a folder"];
    default:
      return [phase, reason];
  }
}
