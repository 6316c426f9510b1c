/** The commands that people have. */
import { existsSync, mkdirSync } from "node:fs";
import * as vscode from "vscode";
import { copyContext } from "./agentContext";
import { install } from "./install";
import type { Item } from "./items";
import { acknowledge } from "./outdatedView";
import { realPath } from "./places";
import { PROCESS, REINDEX, SCRIPTS, type ProcessStatus, type Reindexed, type Scripts } from "./protocol";
import { debugReport, Reports, statusReport } from "./reports";
import type { Channels, Server } from "./server";

/** Where scripts are unless the server says otherwise. */
const SCRIPT_FOLDER = "agents/hub/tools";

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
    openScriptFolder: () => openScriptFolder(server),
    copyContext: () => copyContext(server, "markdown"),
    copyContextAsJson: () => copyContext(server, "json"),
  };
  const ofItem = (item: Item) => item.subject && void acknowledge(server, item.subject);
  const registered = Object.entries(commands).map(([name, run]) => vscode.commands.registerCommand(`remoraHub.${name}`, run));
  return [reports, ...registered, vscode.commands.registerCommand("remoraHub.acknowledge", ofItem)];
}

async function reindex(server: Server): Promise<void> {
  if (!server.offers(REINDEX)) {
    return void vscode.window.showWarningMessage("Remora Hub: the server does not run, or is too old to index anew.");
  }
  const options = { location: vscode.ProgressLocation.Window, title: "Remora Hub: indexing anew" };
  const result = await vscode.window.withProgress(options, () => server.ask<Reindexed>(REINDEX, { anew: true }));
  const said = `${result?.files} files indexed in ${result?.seconds.toFixed(1)} s`;
  void vscode.window.setStatusBarMessage(`$(check) Remora Hub: ${said}`, 5000);
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

/** Shows the folder of the project's own scripts in the explorer; asks before it makes one. */
async function openScriptFolder(server: Server): Promise<void> {
  const folder = await chooseFolder();
  if (!folder) {
    return;
  }
  const told = await server.ask<Scripts>(SCRIPTS, {});
  const [name] = told?.roots.find(({ root }) => root === realPath(folder))?.folders ?? [];
  const scripts = vscode.Uri.joinPath(folder.uri, name ?? SCRIPT_FOLDER);
  if (!existsSync(scripts.fsPath)) {
    const question = `${folder.name} has no scripts of its own yet. They go into ${name ?? SCRIPT_FOLDER}.`;
    if ((await vscode.window.showInformationMessage(question, "Create Folder")) === undefined) {
      return;
    }
    mkdirSync(scripts.fsPath, { recursive: true });
  }
  await vscode.commands.executeCommand("revealInExplorer", scripts);
}

async function chooseFolder(): Promise<vscode.WorkspaceFolder | undefined> {
  const folders = vscode.workspace.workspaceFolders ?? [];
  return folders.length > 1 ? vscode.window.showWorkspaceFolderPick() : folders[0];
}
