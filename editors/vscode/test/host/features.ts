import { strict as assert } from "node:assert";
import * as vscode from "vscode";
import type { Api } from "../../src/extension";
import { activated, ask, eventually, inProject, openAt, placeOf, running, withSettings } from "./workspace";

export function features(): void {
  describe("what the server knows, in the editor", () => {
    let api: Api;
    let cart: vscode.TextDocument;
    let labels: vscode.TextDocument;

    before(async () => {
      api = await activated();
      await running(api);
      cart = await vscode.workspace.openTextDocument(inProject("shop/cart.py"));
      labels = await vscode.workspace.openTextDocument(inProject("shop/labels.py"));
    });

    it("hovers over a definition, also behind emoji and with letters of two code units", async () => {
      assert.match(await hover(cart, "total(self"), /def total\(self, tax: float = 0\.0\) -> float/);
      assert.match(await hover(labels, "rice(label"), /def price\(label: str = '🙂', \*, tax: float = 0\.0\) -> str/);
      assert.match(await hover(labels, '= 0.0) -> str:'), /A cart's price, for people/);
    });

    it("leaves hovers to others when switched off", async () => {
      await withSettings({ hover: "off" }, async () => assert.equal(await hover(cart, "total(self"), ""));
    });

    it("outlines, with ranges that VS Code's columns agree with", async () => {
      const [cartClass, totalOf, ...more] = (await outlineOf(cart))!;
      assert.deepEqual([cartClass?.name, totalOf?.name, more.length], ["Cart", "total_of", 0]);
      assert.deepEqual(cartClass!.children.map((symbol) => symbol.name), ["__init__", "add", "total"]);
      const [price] = (await outlineOf(labels))!;
      assert.equal(price!.name, "price", "as Python reads it");
      assert.equal(labels.getText(price!.selectionRange), "𝔭rice");
      assert(price!.range.end.isEqual(placeOf(labels, '".2f")').end));
    });

    it("leaves the outline to another Python language server, unless asked for it", async () => {
      const python = vscode.workspace.getConfiguration("python");
      await python.update("languageServer", "Jedi", vscode.ConfigurationTarget.Workspace);
      try {
        await eventually(async () => !(await outlineOf(cart)), "no outline");
        await withSettings({ outline: "on" }, async () => {
          await eventually(async () => (await outlineOf(cart))?.length === 2, "an outline");
        });
      } finally {
        await python.update("languageServer", undefined, vscode.ConfigurationTarget.Workspace);
        await eventually(async () => await outlineOf(cart), "the outline again");
      }
    });

    it("finds symbols of the workspace", async () => {
      const found = await ask<vscode.SymbolInformation[]>("vscode.executeWorkspaceSymbolProvider", "totof");
      assert.deepEqual(found.map((symbol) => symbol.name), ["total_of"]);
      assert.equal(cart.getText(found[0]!.location.range), "total_of");
    });

    it("sees what is typed and not saved", async () => {
      const editor = await openAt("shop/cart.py", "def total_of");
      await editor.edit((edit) => edit.insert(placeOf(editor.document, "tax: float) -> float").start, "🙂: int, "));
      assert.match(await hover(cart, "total_of(cart: Cart"), /does not parse just now/, "an emoji is no name");
      await vscode.commands.executeCommand("undo");
      await editor.edit((edit) => edit.insert(placeOf(editor.document, "tax: float) -> float").start, "discount: int, "));
      assert.match(await hover(cart, "total_of(cart: Cart"), /discount: int/);
      await vscode.commands.executeCommand("undo");
      await eventually(async () => !/discount/.test(await hover(cart, "total_of(cart: Cart")), "undo");
    });
  });
}

function outlineOf(document: vscode.TextDocument): Promise<vscode.DocumentSymbol[] | undefined> {
  return ask("vscode.executeDocumentSymbolProvider", document.uri);
}

async function hover(document: vscode.TextDocument, text: string): Promise<string> {
  const hovers = await ask<vscode.Hover[]>("vscode.executeHoverProvider", document.uri, placeOf(document, text).start);
  return hovers.flatMap((hover) => hover.contents.map((part) => (part as vscode.MarkdownString).value)).join("\n");
}
