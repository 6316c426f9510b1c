import { strict as assert } from "node:assert";
import * as vscode from "vscode";
import type { Api } from "../../src/extension";
import { activated, ask, eventually, inProject, openAt, placeOf, running, textOf, withSettings } from "./workspace";

/** The only line of the test project that calls `total_of` outside the tests has emoji before the call. */
export function calls(): void {
  describe("who calls what", () => {
    let api: Api;
    let cart: vscode.TextDocument;
    let labels: vscode.TextDocument;

    before(async () => {
      api = await activated();
      await running(api);
      cart = await vscode.workspace.openTextDocument(inProject("shop/cart.py"));
      labels = await vscode.workspace.openTextDocument(inProject("shop/labels.py"));
    });

    it("counts callers and tests above a definition", async () => {
      assert.deepEqual(await lenses(cart, "total_of(cart"), ["2 callers", "1 test"]);
    });

    it("shows where they are, with columns behind emoji right", async () => {
      const [callers] = await lensesAt(cart, "total_of(cart");
      const [uri, , locations] = callers!.command!.arguments as [string, unknown, { uri: string; range: vscode.Range }[]];
      assert.equal(uri, cart.uri.toString());
      const inLabels = locations.find((location) => location.uri === labels.uri.toString());
      const { start, end } = inLabels!.range;
      assert.equal(labels.getText(new vscode.Range(start.line, start.character, end.line, end.character)), "total_of");
      await vscode.commands.executeCommand(callers!.command!.command, ...callers!.command!.arguments!);
    });

    it("shows the lenses that are chosen", async () => {
      await withSettings({ lens: ["complexity"] }, async () => {
        await eventually(async () => (await lenses(cart, "total_of(cart")).join() === "complexity 1", "the other lens");
      });
      await eventually(async () => (await lenses(cart, "total_of(cart")).length === 2, "the first lenses");
    });

    it("answers for the call hierarchy", async () => {
      const at = placeOf(cart, "total_of(cart").start;
      const [item] = await ask<vscode.CallHierarchyItem[]>("vscode.prepareCallHierarchy", cart.uri, at);
      assert.equal(item!.name, "total_of");
      const incoming = await ask<vscode.CallHierarchyIncomingCall[]>("vscode.provideIncomingCalls", item);
      const price = incoming.find(({ from }) => from.name === "price");
      assert.deepEqual(price!.fromRanges.map((range) => labels.getText(range)), ["total_of"]);
      const outgoing = await ask<vscode.CallHierarchyOutgoingCall[]>("vscode.provideOutgoingCalls", item);
      assert.deepEqual(outgoing.map(({ to }) => to.name), ["total"]);
    });

    it("finds references", async () => {
      const at = placeOf(cart, "total_of(cart").start;
      const found = await ask<vscode.Location[]>("vscode.executeReferenceProvider", cart.uri, at);
      const inLabels = found.filter((location) => location.uri.path === labels.uri.path);
      const call = inLabels.find((location) => location.range.start.isEqual(placeOf(labels, "total_of(Cart").start));
      assert.equal(labels.getText(call?.range), "total_of", "the call behind emoji");
    });

    it("is in the view of the node under the cursor", async () => {
      await vscode.commands.executeCommand("remoraHub.node.focus");
      await openAt("shop/cart.py", "return cart.total");
      const shown = await eventually(() => {
        const text = textOf(api.node.items);
        return text[0]?.startsWith("total_of") && text;
      }, "the node");
      assert.deepEqual(shown.slice(-7), [
        "Callers [2]",
        "  price [shop/labels.py:6]",
        "  test_tax_is_added [tests/test_cart.py:8]",
        "Calls [1]",
        "  Cart.total [shop/cart.py:14]",
        "Tests [1]",
        "  test_tax_is_added [tests/test_cart.py:8]",
      ]);
    });

    it("is in the context for agents", async () => {
      await openAt("shop/cart.py", "return cart.total");
      await vscode.commands.executeCommand("remoraHub.copyContext");
      const markdown = await vscode.env.clipboard.readText();
      assert.match(markdown, /## Callers\n\n- `def price\(.*` shop\/labels\.py:6: 🛒 A cart's price, for people/);
      assert.match(markdown, /## Tests\n\n- `def test_tax_is_added\(\) -> None` tests\/test_cart\.py:8/);
    });
  });
}

async function lenses(document: vscode.TextDocument, at: string): Promise<string[]> {
  return (await lensesAt(document, at)).map((lens) => lens.command!.title);
}

async function lensesAt(document: vscode.TextDocument, at: string): Promise<vscode.CodeLens[]> {
  const all = await ask<vscode.CodeLens[] | undefined>("vscode.executeCodeLensProvider", document.uri, 100);
  return (all ?? []).filter((lens) => lens.range.start.isEqual(placeOf(document, at).start));
}
