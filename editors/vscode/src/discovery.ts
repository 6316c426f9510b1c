/** Where the server is: the settings, the selected Python environment, PATH, in this order. */
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import * as vscode from "vscode";
import type { Environment, Environments } from "./environments";
import { setting } from "./settings";

export const PROGRAM = "remora-hub-lsp";
const SUFFIXES = process.platform === "win32" ? [".exe", ".cmd", ".bat"] : [""];

/** What a search came to. */
export interface Search {
  /** The server's program, if it was found. */
  program?: string;
  /** Every place that was looked at, and what was there, in order; for people. */
  trail: string[];
  /** The selected environment, where asking for it is allowed. */
  environment?: Environment | undefined;
}

/** Never looks into, or asks about, what an untrusted workspace says or has in it. */
export async function findServer(environments: Environments): Promise<Search> {
  const folder = vscode.workspace.workspaceFolders?.[0]?.uri;
  const search: Search = { trail: [] };
  search.program = fromPaths(search, "remoraHub.path", setting<string[]>("path"), (written) => executable(written));
  search.program ??= fromPaths(search, "remoraHub.interpreter", setting<string[]>("interpreter"), besides);
  if (!search.program && setting("importStrategy") === "fromEnvironment") {
    search.program = await fromEnvironment(search, environments, folder);
  }
  search.program ??= fromPath(search);
  return search;
}

function fromPaths(search: Search, name: string, written: string[], find: (file: string) => string | undefined) {
  for (const entry of written) {
    const found = find(expand(entry));
    search.trail.push(`${name} ${entry}: ${found ?? `no ${PROGRAM} there`}`);
    if (found) {
      return found;
    }
  }
  return undefined;
}

async function fromEnvironment(search: Search, environments: Environments, folder: vscode.Uri | undefined) {
  if (!vscode.workspace.isTrusted) {
    search.trail.push("selected Python environment: not asked for, since the workspace is not trusted");
    return undefined;
  }
  const environment = await environments.selected(folder);
  if (!environment) {
    search.trail.push("selected Python environment: none (no Python extension, or it knows none)");
    return undefined;
  }
  search.environment = environment;
  const found = besides(environment.python);
  search.trail.push(`selected Python environment ${environment.name}: ${found ?? `no ${PROGRAM} in it`}`);
  return found;
}

function fromPath(search: Search): string | undefined {
  const folders = (process.env["PATH"] ?? "").split(path.delimiter).filter((folder) => path.isAbsolute(folder));
  const allowed = folders.filter((folder) => vscode.workspace.isTrusted || !inWorkspace(folder));
  const found = allowed.map((folder) => executable(path.join(folder, PROGRAM))).find((file) => file !== undefined);
  search.trail.push(`PATH: ${found ?? `no ${PROGRAM} in it`}`);
  return found;
}

/** The server's program in the folder of scripts that an interpreter's environment has. */
function besides(python: string): string | undefined {
  const folder = path.dirname(python);
  return executable(path.join(folder, PROGRAM)) ?? executable(path.join(folder, "Scripts", PROGRAM));
}

function executable(file: string): string | undefined {
  return SUFFIXES.map((suffix) => file + suffix).find((candidate) => {
    try {
      fs.accessSync(candidate, fs.constants.X_OK);
      return fs.statSync(candidate).isFile();
    } catch {
      return false; // not there, or not ours to run: both mean looking on
    }
  });
}

function inWorkspace(folder: string): boolean {
  return vscode.workspace.getWorkspaceFolder(vscode.Uri.file(folder)) !== undefined;
}

/** `~`, `${userHome}`, `${workspaceFolder}` and `${env:NAME}` as in VS Code's own settings; relative to the workspace. */
function expand(written: string): string {
  const folder = vscode.workspace.workspaceFolders?.[0]?.uri.fsPath ?? os.homedir();
  const text = written
    .replace(/^~(?=$|[/\\])/, os.homedir())
    .replace(/\$\{userHome\}/g, os.homedir())
    .replace(/\$\{workspaceFolder\}/g, folder)
    .replace(/\$\{env:([^}]+)\}/g, (_, name: string) => process.env[name] ?? "");
  return path.resolve(folder, text);
}
