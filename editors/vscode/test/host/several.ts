import { strict as assert } from "node:assert";
import * as vscode from "vscode";
import type { Api } from "../../src/extension";
import { runMocha } from "./mocha";
import { activated, ask, eventually, running, textOf } from "./workspace";

export const run = () => runMocha(suite);

function suite(): void {
  describe("a workspace of two folders, with Microsoft's Python Environments extension", () => {
    let api: Api;

    before(async () => {
      await eventually(() => vscode.workspace.workspaceFolders?.length === 2, "both folders"); // see test/run.mjs
      api = await activated();
    });

    it("installs with the environment's own manager", async () => {
      await eventually(() => api.server.phase === "missing", "phase missing");
      await vscode.commands.executeCommand("remoraHub.install");
      await running(api);
      assert.equal(api.server.search.environment?.name, "fake");
    });

    it("has one server for both", async () => {
      const search = () => ask<vscode.SymbolInformation[]>("vscode.executeWorkspaceSymbolProvider", "total_of");
      const found = async () => (await search()).map((symbol) => symbol.location.uri.path.split("/").at(-3)).sort().join();
      await eventually(async () => (await found()) === "second,shop", "the symbols of both folders");
    });

    it("shows the node of the folder that the file is in", async () => {
      await vscode.commands.executeCommand("remoraHub.node.focus");
      const second = vscode.workspace.workspaceFolders![1]!;
      const uri = vscode.Uri.joinPath(second.uri, "shop/cart.py");
      await vscode.window.showTextDocument(uri, { selection: new vscode.Range(3, 6, 3, 6) });
      await eventually(() => textOf(api.node.items)[0] === "Cart [class · shop/cart.py:4]", "the node");
      const [target] = api.node.items[0]!.tree.command!.arguments as [vscode.Uri];
      assert.equal(target.toString(), uri.toString());
    });

    it("reports on each", async () => {
      await vscode.commands.executeCommand("remoraHub.showStatus");
      const text = vscode.window.activeTextEditor!.document.getText();
      assert.deepEqual(text.match(/^## .*\/(\w+)$/gm)?.map((line) => line.split("/").at(-1)), ["shop", "second"]);
    });
  });
}
