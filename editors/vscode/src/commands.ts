/** The commands that people have. */
import { mkdirSync } from "node:fs";
import * as vscode from "vscode";
import { copyContext } from "./agentContext";
import { install } from "./install";
import { PROCESS, REINDEX, type ProcessStatus } from "./protocol";
import { debugReport, Reports, statusReport } from "./reports";
import type { Channels, Server } from "./server";

const SCRIPTS_FOLDER = ".remora/hub";

export function registerCommands(extension: vscode.Extension<unknown>, server: Server, channels: Channels): vscode.Disposable[] {
  const reports = new Reports();
  const commands: Record<string, () => unknown> = {
    restart: () => server.restart("asked for"),
    install: () => install(server, channels.client),
    reindex: () => reindex(server),
    showStatus: async () => reports.show("Remora Hub Status.md", await statusReport(server)),
    showServerLog: () => showServerLog(server, channels),
    showClientLog: () => channels.client.show(),
    showDebugInformation: async () => reports.show("Remora Hub Debug Information.json", await debugReport(server, extension)),
    openSettings: () => vscode.commands.executeCommand("workbench.action.openSettings", `@ext:${extension.id}`),
    openScriptFolder,
    copyContext: () => copyContext(server, "markdown"),
    copyContextAsJson: () => copyContext(server, "json"),
  };
  const registered = Object.entries(commands).map(([name, run]) => vscode.commands.registerCommand(`remoraHub.${name}`, run));
  return [reports, ...registered];
}

async function reindex(server: Server): Promise<void> {
  if (!server.offers(REINDEX)) {
    return void vscode.window.showWarningMessage("Remora Hub: the server does not run, or is too old to index anew.");
  }
  await server.ask(REINDEX, {});
}

/** The hub process has a log file of its own; what ends before it is reached is in the output channel. */
async function showServerLog(server: Server, channels: Channels): Promise<void> {
  const log = (await server.ask<ProcessStatus>(PROCESS, {}))?.log;
  if (!log) {
    return channels.server.show();
  }
  const document = await vscode.workspace.openTextDocument(vscode.Uri.file(log));
  const end = document.lineAt(document.lineCount - 1).range;
  await vscode.window.showTextDocument(document, { selection: end, preview: true });
}

/** In a window of the operating system, or where there is none of ours (remote) in VS Code's own. */
async function openScriptFolder(): Promise<void> {
  const folder = await chooseFolder();
  if (!folder) {
    return;
  }
  const scripts = vscode.Uri.joinPath(folder.uri, SCRIPTS_FOLDER);
  mkdirSync(scripts.fsPath, { recursive: true });
  await vscode.commands.executeCommand("revealInExplorer", scripts);
}

async function chooseFolder(): Promise<vscode.WorkspaceFolder | undefined> {
  const folders = vscode.workspace.workspaceFolders ?? [];
  return folders.length > 1 ? vscode.window.showWorkspaceFolderPick() : folders[0];
}
