/** Pages for people: how the server is doing, and all that helps to find out why it does not. */
import * as vscode from "vscode";
import { PROCESS, type HubStatus } from "./protocol";
import type { Server } from "./server";
import { SECTION, serverSettings } from "./settings";
import { hubs } from "./status";

const SCHEME = "remora-hub";

export class Reports implements vscode.TextDocumentContentProvider, vscode.Disposable {
  private readonly changed = new vscode.EventEmitter<vscode.Uri>();
  private readonly texts = new Map<string, string>();
  private readonly registration = vscode.workspace.registerTextDocumentContentProvider(SCHEME, this);
  readonly onDidChange = this.changed.event;

  dispose(): void {
    this.registration.dispose();
    this.changed.dispose();
  }

  provideTextDocumentContent(uri: vscode.Uri): string {
    return this.texts.get(uri.path) ?? "";
  }

  async show(name: string, text: string): Promise<void> {
    const uri = vscode.Uri.from({ scheme: SCHEME, path: `/${name}` });
    this.texts.set(uri.path, text);
    this.changed.fire(uri);
    await vscode.window.showTextDocument(await vscode.workspace.openTextDocument(uri), { preview: true });
  }
}

export async function statusReport(server: Server): Promise<string> {
  const all = await hubs(server);
  const head = `# Remora Hub\n\nThe server is ${server.phase}${server.reason ? `: ${server.reason}` : "."}\n`;
  return [head, ...all.map(hubReport)].join("\n");
}

function hubReport(hub: HubStatus): string {
  const list = (title: string, lines: string[]) => (lines.length ? [`\n${title}:\n`, ...lines.map((line) => `- ${line}`)] : []);
  return [
    `## ${hub.project_root}\n`,
    `- ${hub.state}${hub.state_reason ? `: ${hub.state_reason}` : ""}, revision ${hub.revision}`,
    `- ${hub.indexed_nodes} nodes in ${hub.indexed_files} files, ${hub.pending} changes pending`,
    `- ${hub.sessions} sessions, process ${hub.pid}, version ${hub.version}`,
    `- index: ${hub.database}`,
    ...(hub.history ? [`- git history: ${hub.history.reason ?? hub.history.state}`] : []),
    ...list("Files that could not be parsed", hub.failed.map(failed)),
    ...list("Slowest changes", hub.slowest.map(({ path, seconds }) => `${path}: ${(1000 * seconds).toFixed(0)} ms`)),
    "",
  ].join("\n");
}

function failed({ file, line, error }: HubStatus["failed"][number]): string {
  return `${file}${line === null ? "" : `:${line + 1}`}: ${error}`;
}

/** For a bug report. */
export async function debugReport(server: Server, extension: vscode.Extension<unknown>): Promise<string> {
  const found = {
    extension: extension.packageJSON.version,
    vscode: vscode.version,
    host: vscode.env.appHost,
    remote: vscode.env.remoteName ?? null,
    platform: `${process.platform} ${process.arch}`,
    trusted: vscode.workspace.isTrusted,
    folders: vscode.workspace.workspaceFolders?.map((folder) => folder.uri.toString()) ?? [],
    phase: server.phase,
    reason: server.reason,
    search: server.search.trail,
    environment: server.search.environment ?? null,
    settings: vscode.workspace.getConfiguration(SECTION),
    sentSettings: serverSettings(extension),
    server: server.client?.initializeResult ?? null,
    process: await server.ask<unknown>(PROCESS, {}).catch(String),
  };
  return JSON.stringify(found, null, 2);
}
