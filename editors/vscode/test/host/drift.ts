import { strict as assert } from "node:assert";
import * as vscode from "vscode";
import type { Api } from "../../src/extension";
import { activated, ask, eventually, openAt, placeOf, running, textOf } from "./workspace";

/** In shop/labels.py `tax` is renamed; its docstring, in which it stands behind an emoji, goes on telling of `tax`. */
export function drift(): void {
  describe("docstrings that no longer fit", () => {
    let api: Api;
    let labels: vscode.TextDocument;

    before(async () => {
      api = await activated();
      await running(api);
      await eventually(async () => (await api.server.ask<{ state: string }>("remora/status", {}))?.state === "ready");
      const editor = await openAt("shop/labels.py", "tax: float");
      labels = editor.document;
      await editor.edit((edit) => {
        edit.replace(placeOf(labels, "tax: float"), "share: float");
        edit.replace(placeOf(labels, "Cart(), tax"), "Cart(), share");
      });
    });

    after(async () => {
      await vscode.window.showTextDocument(labels);
      await vscode.commands.executeCommand("workbench.action.files.revert");
    });

    it("are told where the old name stands", async () => {
      const found = await eventually(() => outdated(labels)[0], "the diagnostic");
      assert.match(found.message, /tax/);
      assert.equal(labels.getText(found.range).trim(), "tax", "not the emoji before it");
    });

    it("are in the view of all of them, and in that of the node", async () => {
      await vscode.commands.executeCommand("remoraHub.outdated.focus");
      const shown = await eventually(() => api.outdated.items.length > 0 && textOf(api.outdated.items), "the list");
      assert.equal(shown[0], "shop/labels.py [1]");
      assert.match(shown[1]!, /^ {2}price \[.*tax.*\]$/);
      await openAt("shop/labels.py", "return ");
      await eventually(() => textOf(api.node.items).includes("docstring outdated"), "the node");
    });

    it("can be called true, and that can be taken back", async () => {
      const item = api.outdated.items[0]!.children![0]!;
      void vscode.commands.executeCommand("remoraHub.acknowledge", item); // waits for the button Undo
      await eventually(() => outdated(labels).length === 0, "no diagnostic");
      await eventually(() => api.outdated.items.length === 0, "an empty list");
      await api.server.ask("remora/acknowledgeDocstring", { node: "shop/labels.py:price", undo: true });
      await eventually(() => outdated(labels).length === 1, "the diagnostic again");
    });

    it("are mended by a quick fix", async () => {
      const [found] = outdated(labels);
      const fixes = await ask<vscode.CodeAction[]>("vscode.executeCodeActionProvider", labels.uri, found!.range, "quickfix");
      const titles = fixes.map((fix) => fix.title);
      const fix = fixes.find(({ edit, title }) => edit && /share/.test(title));
      assert(fix, titles.join());
      assert(titles.some((title) => /still/i.test(title)), titles.join());
      await vscode.workspace.applyEdit(fix.edit!);
      assert.match(labels.getText(), /\n {8}share: 🏛️ the share that the state gets\.\n/);
      await eventually(() => outdated(labels).length === 0, "no diagnostic");
    });
  });
}

function outdated(document: vscode.TextDocument): vscode.Diagnostic[] {
  return vscode.languages.getDiagnostics(document.uri).filter(({ source }) => source === "remora");
}
