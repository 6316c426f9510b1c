import { strict as assert } from "node:assert";
import * as vscode from "vscode";
import type { Api } from "../../src/extension";
import { activated, eventually, inProject, openAt, placeOf, running, textOf } from "./workspace";

/** The project has a script of its own: agents/hub/tools/printable.pym. */
export function scripts(): void {
  describe("the project's own scripts", () => {
    let api: Api;

    before(async () => {
      api = await activated();
      await running(api);
      await vscode.commands.executeCommand("remoraHub.node.focus");
    });

    it("tell in the view what they found, and lead there", async () => {
      const { document } = await openAt("shop/labels.py", "return ");
      const found = await eventually(() => api.node.items.find(({ tree }) => tree.label === "Scripts"), "findings");
      assert.deepEqual(textOf([found]), [
        "Scripts",
        "  printable",
        "    the printer has no 🙂 [line 6]",
        "    the printer has no 🙂 [line 10]",
        "    lines [2]",
      ]);
      const finding = found.children![0]!.children![1]!;
      await vscode.commands.executeCommand(finding.tree.command!.command, ...finding.tree.command!.arguments!);
      const editor = vscode.window.activeTextEditor!;
      assert.equal(editor.document, document);
      assert.equal(editor.selection.active.line, placeOf(document, "🙂 for example").start.line);
    });

    it("tell it as diagnostics as well", async () => {
      const uri = inProject("shop/labels.py");
      const found = () => vscode.languages.getDiagnostics(uri).filter(({ source }) => source === "remora printable");
      await eventually(() => found().length === 2, "the diagnostics");
    });

    it("are checked while they are written", async () => {
      const uri = inProject("agents/hub/tools/printable.pym");
      const editor = await vscode.window.showTextDocument(uri);
      assert.equal(editor.document.languageId, "pym");
      await editor.edit((edit) => edit.insert(placeOf(editor.document, "from typing").start, "import os\n"));
      const problem = await eventually(() => vscode.languages.getDiagnostics(uri)[0], "the problem");
      assert.match(problem.message, /import/);
      await vscode.commands.executeCommand("undo");
      await eventually(() => vscode.languages.getDiagnostics(uri).length === 0, "no problem");
    });
  });
}
