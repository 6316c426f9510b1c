/** The first hover in a project that was never indexed, from the moment the window is there. */
import { strict as assert } from "node:assert";
import * as vscode from "vscode";
import { runMocha } from "./mocha";
import { ask, eventually, openAt } from "./workspace";

export const run = () =>
  runMocha(() => {
    it("shows its first hover", async () => {
      const { document, selection } = await openAt("shop/cart.py", "total(self");
      const text = await eventually(async () => {
        const hovers = await ask<vscode.Hover[]>("vscode.executeHoverProvider", document.uri, selection.active);
        return hovers.flatMap((hover) => hover.contents.map((part) => (typeof part === "string" ? part : part.value))).join("\n");
      }, "a hover");
      assert.match(text, /def total\(self, tax: float = 0\.0\) -> float/);
    });
  });
