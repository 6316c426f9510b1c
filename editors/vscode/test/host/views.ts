import { strict as assert } from "node:assert";
import * as vscode from "vscode";
import type { Api } from "../../src/extension";
import { activated, eventually, openAt, running, textOf } from "./workspace";

export function views(): void {
  describe("views, status and commands", () => {
    let api: Api;

    before(async () => {
      api = await activated();
      await running(api);
      await vscode.commands.executeCommand("remoraHub.node.focus");
    });

    it("shows the node under the cursor", async () => {
      await openAt("shop/labels.py", "what stands before it");
      const shown = await eventually(() => {
        const text = textOf(api.node.items);
        return text[0]?.startsWith("price") && text;
      }, "the node");
      assert.equal(shown[0], "price [function · shop/labels.py:6]");
      assert.equal(shown[1], "def price(label: str = '🙂', *, tax: float = 0.0) -> str");
      assert(shown.includes("🛒 A cart's price, for people. [docstring]"), shown.join("\n"));
      assert(shown.includes("8 lines · complexity 1 · type hints"), shown.join("\n"));
    });

    it("follows the cursor, and goes to what is clicked", async () => {
      await openAt("shop/cart.py", "return cart.total");
      const item = await eventually(() => api.node.items.find(({ subject }) => subject?.qualname === "total_of"), "the node");
      const { command, arguments: rest } = item.tree.command!;
      await vscode.window.showTextDocument(await vscode.workspace.openTextDocument({ content: "elsewhere" }));
      await vscode.commands.executeCommand(command, ...rest!);
      const editor = await eventually(() => vscode.window.activeTextEditor?.document.uri.path.endsWith("cart.py") && vscode.window.activeTextEditor);
      assert.equal(editor.document.getText(editor.document.getWordRangeAtPosition(editor.selection.active)), "total_of");
    });

    it("tells state, revision, nodes and pending in the language status item", async () => {
      await eventually(() => api.status.item.text === "Remora Hub: ready", "the state");
      assert.match(api.status.item.detail!, /^revision \d+ · \d+ nodes · 0 pending$/);
      assert.equal(api.status.item.busy, false);
    });

    it("tells the new revision after a change", async () => {
      const before = api.status.item.detail;
      const editor = await openAt("shop/cart.py", "class Cart");
      await editor.edit((edit) => edit.insert(new vscode.Position(2, 0), "def added(): ...\n"));
      await eventually(() => api.status.item.detail !== before, "another revision");
      await vscode.commands.executeCommand("undo");
    });

    it("indexes the project anew", async () => {
      const before = await api.server.ask<{ revision: number }>("remora/status", {});
      await vscode.commands.executeCommand("remoraHub.reindex");
      const after = await api.server.ask<{ revision: number }>("remora/status", {});
      assert(after!.revision > before!.revision, `${before!.revision} -> ${after!.revision}`);
    });

    it("copies the context as Markdown and as JSON", async () => {
      await openAt("shop/cart.py", "return cart.total");
      await vscode.commands.executeCommand("remoraHub.copyContext");
      const markdown = await vscode.env.clipboard.readText();
      assert.match(markdown, /^# total_of \(function, shop\/cart\.py:\d+-\d+\)\n\n```python\ndef total_of\(cart: Cart/);
      await vscode.commands.executeCommand("remoraHub.copyContextAsJson");
      const context = JSON.parse(await vscode.env.clipboard.readText()) as { nodes: Record<string, { qualname: string }> };
      assert.deepEqual(Object.values(context.nodes).map((node) => node.qualname), ["total_of"]);
    });

    it("shows its status, debug information and logs", async () => {
      await vscode.commands.executeCommand("remoraHub.showStatus");
      assert.match(vscode.window.activeTextEditor!.document.getText(), /- ready, revision \d+\n- \d+ nodes in 4 files/);
      await vscode.commands.executeCommand("remoraHub.showDebugInformation");
      const found = JSON.parse(vscode.window.activeTextEditor!.document.getText()) as { phase: string; search: string[] };
      assert.equal(found.phase, "running");
      assert.match(found.search[0]!, /^selected Python environment full: /);
      await vscode.commands.executeCommand("remoraHub.showServerLog");
      assert.match(vscode.window.activeTextEditor!.document.uri.path, /\.log$/);
    });
  });
}
