/** What the suites have in common: the extension's API, files and places of the test project, waiting. */
import { strict as assert } from "node:assert";
import * as vscode from "vscode";
import type { Api } from "../../src/extension";
import type { Item } from "../../src/items";

export async function activated(): Promise<Api> {
  const extension = vscode.extensions.getExtension<Api>("remora.remora-hub");
  assert(extension, "the extension is installed");
  return extension.activate();
}

export function inProject(path: string): vscode.Uri {
  return vscode.Uri.joinPath(vscode.workspace.workspaceFolders![0]!.uri, path);
}

/** Opens a file with the cursor at the start of a text in it. */
export async function openAt(path: string, text: string): Promise<vscode.TextEditor> {
  const editor = await vscode.window.showTextDocument(inProject(path));
  const at = placeOf(editor.document, text).start;
  editor.selection = new vscode.Selection(at, at);
  return editor;
}

/** The only place of `text`; columns are UTF-16, as everywhere in VS Code. */
export function placeOf(document: vscode.TextDocument, text: string): vscode.Range {
  const [before, ...more] = document.getText().split(text);
  assert.equal(more.length, 1, `${text} stands once in ${document.uri.path}`);
  return new vscode.Range(document.positionAt(before!.length), document.positionAt(before!.length + text.length));
}

export async function ask<T>(command: string, ...rest: unknown[]): Promise<T> {
  return vscode.commands.executeCommand<T>(command, ...rest);
}

/** Waits until `look` gives something; the last error or value is told if that takes too long. */
export async function eventually<T>(look: () => Promise<T | undefined | false> | T | undefined | false, what = "it"): Promise<T> {
  const end = Date.now() + 20_000;
  for (;;) {
    const found = await look();
    if (found) {
      return found;
    }
    assert(Date.now() < end, `${what} did not come about in 20 s`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

export async function running(api: Api): Promise<void> {
  await eventually(() => api.server.phase === "running", `a running server (${api.server.phase}: ${api.server.reason})`);
}

/** Items as text, a line each, indented; descriptions in brackets. */
export function textOf(items: readonly Item[], depth = 0): string[] {
  return items.flatMap(({ tree, children }) => [
    `${"  ".repeat(depth)}${tree.label as string}${tree.description ? ` [${tree.description as string}]` : ""}`,
    ...textOf(children ?? [], depth + 1),
  ]);
}

/** Sets settings of the window for the time of `work`. */
export async function withSettings(values: Record<string, unknown>, work: () => Promise<void>): Promise<void> {
  const update = async (name: string, value: unknown) =>
    vscode.workspace.getConfiguration("remoraHub").update(name, value, vscode.ConfigurationTarget.Workspace);
  try {
    for (const [name, value] of Object.entries(values)) {
      await update(name, value);
    }
    await work();
  } finally {
    for (const name of Object.keys(values)) {
      await update(name, undefined);
    }
  }
}
