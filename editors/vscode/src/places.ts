/** Where things are: the server's paths and ranges -> VS Code's. */
import { realpathSync } from "node:fs";
import * as vscode from "vscode";
import type { NodeState, Range } from "./protocol";

export const SELECTOR = { scheme: "file", language: "python" };

export function rangeOf({ start, end }: Range): vscode.Range {
  return new vscode.Range(start.line, start.character, end.line, end.character);
}

/** The place of a node's name; `root` is the folder that its path starts at. */
export function locationOf(node: NodeState, root: vscode.Uri): vscode.Location {
  return new vscode.Location(vscode.Uri.joinPath(root, node.file_path), rangeOf(node.name_range));
}

export function openCommand({ uri, range }: vscode.Location): vscode.Command {
  const selection = new vscode.Range(range.start, range.start);
  return { command: "vscode.open", title: "Go to", arguments: [uri, { selection }] };
}

/** The Python editor that has the focus, or had it last. */
export function pythonEditor(): vscode.TextEditor | undefined {
  const editor = vscode.window.activeTextEditor;
  return editor && vscode.languages.match(SELECTOR, editor.document) ? editor : undefined;
}

/** A folder as the server names it. */
export function realPath({ uri }: vscode.WorkspaceFolder): string {
  try {
    return realpathSync(uri.fsPath);
  } catch {
    return uri.fsPath; // not on this machine: then the server does not have it either
  }
}
