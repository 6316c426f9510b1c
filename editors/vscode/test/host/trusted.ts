import { strict as assert } from "node:assert";
import * as vscode from "vscode";
import { runMocha } from "./mocha";
import type { Api } from "../../src/extension";

export const run = () => runMocha(suite);

function suite(): void {
describe("a trusted workspace", () => {
  let api: Api;

  before(async () => {
    const extension = vscode.extensions.getExtension<Api>("remora.remora-hub");
    assert(extension, "the extension is installed");
    api = await extension.activate();
  });

  it("starts the server", () => {
    assert.equal(api.server.phase, "running", api.server.reason);
  });

  it("hovers", async () => {
    const document = await vscode.workspace.openTextDocument(folder("shop/cart.py"));
    const hovers = await vscode.commands.executeCommand<vscode.Hover[]>(
      "vscode.executeHoverProvider", document.uri, new vscode.Position(13, 10));
    const text = hovers.flatMap((hover) => hover.contents.map((part) => (part as vscode.MarkdownString).value)).join();
    assert.match(text, /def total\(self, tax: float = 0\.0\) -> float/);
  });
});
}

function folder(path: string): vscode.Uri {
  return vscode.Uri.joinPath(vscode.workspace.workspaceFolders![0]!.uri, path);
}
