import { strict as assert } from "node:assert";
import * as vscode from "vscode";
import type { Api } from "../../src/extension";
import { activated, ask, eventually, openAt, placeOf, running, textOf } from "./workspace";

/** In shop/labels.py `tax` is renamed: its docstring, which has emoji, goes on telling of the old name. */
export function drift(): void {
  describe("docstrings that no longer fit", () => {
    let api: Api;
    let labels: vscode.TextDocument;

    before(async () => {
      api = await activated();
      await running(api);
      const editor = await openAt("shop/labels.py", "tax: float");
      labels = editor.document;
      await eventually(async () => (await api.server.ask<{ state: string }>("remora/status", {}))?.state === "ready");
      const parameter = placeOf(labels, "tax: float").start;
      await editor.edit((edit) => {
        edit.replace(new vscode.Range(parameter, parameter.translate(0, 3)), "share");
        edit.replace(placeOf(labels, "Cart(), tax"), "Cart(), share");
      });
    });

    it("are diagnostics, where the old name stands behind an emoji", async () => {
      const diagnostic = await eventually(() => outdated(labels), "the diagnostic");
      assert.match(diagnostic.message, /tax/);
      console.log(JSON.stringify(vscode.languages.getDiagnostics(labels.uri)));
    });
  });
}

function outdated(document: vscode.TextDocument): vscode.Diagnostic | undefined {
  return vscode.languages.getDiagnostics(document.uri).find((diagnostic) => /docstring/.test(diagnostic.message));
}

void ask;
void textOf;
