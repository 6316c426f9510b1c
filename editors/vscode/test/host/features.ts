import { strict as assert } from "node:assert";
import * as vscode from "vscode";
import type { Api } from "../../src/extension";
import { activated, eventually, inProject, openAt, placeOf, running, withSettings } from "./workspace";

export function features(): void {
  describe("what the server knows, in the editor", () => {
    let api: Api;
    let cart: vscode.TextDocument;

    before(async () => {
      api = await activated();
      await running(api);
      cart = await vscode.workspace.openTextDocument(inProject("shop/cart.py"));
    });

    it("hovers over a definition, also behind emoji and with letters of two code units", async () => {
      assert.match(await hover(cart, "total(self"), /def total\(self, tax: float = 0\.0\) -> float/);
      assert.match(await hover(cart, "rice(label"), /def price\(label: str = '🙂', \*, tax: float = 0\.0\) -> str/);
      assert.match(await hover(cart, '= 0.0) -> str:'), /A cart's price, for people/);
    });

    it("leaves hovers to others when switched off", async () => {
      await withSettings({ hover: "off" }, async () => assert.equal(await hover(cart, "total(self"), ""));
    });

    it("outlines, with ranges that VS Code's columns agree with", async () => {
      const outline = (await outlineOf(cart))!;
      assert.deepEqual(outline.map((symbol) => symbol.name), ["Cart", "price", "total_of"], "names as Python reads them");
      assert.deepEqual(outline[0]!.children.map((symbol) => symbol.name), ["__init__", "add", "total"]);
      assert.equal(cart.getText(outline[1]!.selectionRange), "𝔭rice");
      assert(outline[1]!.range.end.isEqual(placeOf(cart, '".2f")').end));
    });

    it("leaves the outline to another Python language server, unless asked for it", async () => {
      const python = vscode.workspace.getConfiguration("python");
      await python.update("languageServer", "Jedi", vscode.ConfigurationTarget.Workspace);
      try {
        await eventually(async () => !(await outlineOf(cart)), "no outline");
        await withSettings({ outline: "on" }, async () => {
          await eventually(async () => (await outlineOf(cart))?.length === 3, "an outline");
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

async function ask<T>(command: string, ...rest: unknown[]): Promise<T> {
  return vscode.commands.executeCommand<T>(command, ...rest);
}
