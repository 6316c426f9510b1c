import { strict as assert } from "node:assert";
import { existsSync } from "node:fs";
import * as vscode from "vscode";
import type { Api } from "../../src/extension";
import type { Context } from "../../src/protocol";
import { runMocha } from "./mocha";
import { activated, eventually, inProject, placeOf, running } from "./workspace";

const { OWN_SERVER, WORKSPACE_SERVER, WORKSPACE_SERVER_RAN } = process.env as Record<string, string>;

export const run = () => runMocha(suite);

/** The workspace names a program of its own in its settings, in PATH, and has it in its Python environment. */
function suite(): void {
  describe("an untrusted workspace", () => {
    let api: Api;

    before(async () => {
      assert.equal(vscode.workspace.isTrusted, false);
      api = await activated();
      await running(api);
    });

    it("is served by a program from outside", () => {
      assert.equal(api.server.search.program, OWN_SERVER);
      assert(!existsSync(WORKSPACE_SERVER_RAN!));
    });

    it("has its environment not even asked for", () => {
      assert.equal(api.server.search.environment, undefined);
      assert.match(api.server.search.trail.join("\n"), /not asked for, since the workspace is not trusted/);
    });

    it("tells the server, so that it runs no scripts", () => {
      assert.equal(sent(api)["trusted"], false);
      assert(!("logFile" in sent(api)), "a restricted setting of the workspace does not count");
      assert.equal(sent(api)["logLevel"], "warning", "others do");
    });

    it("runs none of its scripts", async () => {
      await eventually(async () => (await scripts(api))?.trusted === false, "scripts");
      assert.deepEqual(await said(api), {});
    });

    it("has hovers all the same", async () => {
      const cart = await vscode.workspace.openTextDocument(inProject("shop/cart.py"));
      const at = placeOf(cart, "total(self").start;
      const hovers = await vscode.commands.executeCommand<vscode.Hover[]>("vscode.executeHoverProvider", cart.uri, at);
      assert.equal(hovers.length, 1);
    });

    it("gets all of it once it is trusted", async () => {
      void vscode.commands.executeCommand("workbench.trust.manage"); // test/run.mjs presses the button
      await eventually(() => vscode.workspace.isTrusted, "trust");
      await eventually(() => api.server.search.program === WORKSPACE_SERVER, "the workspace's program");
      await eventually(() => api.server.phase === "running" && sent(api)["trusted"] === true, "a trusting server");
      assert(existsSync(WORKSPACE_SERVER_RAN!), "else the first test could not fail");
      await eventually(async () => Object.keys((await said(api))!).join() === "printable", "what the script says");
    });
  });
}

function sent(api: Api): Record<string, unknown> {
  return api.server.client!.clientOptions.initializationOptions as Record<string, unknown>;
}

async function scripts(api: Api): Promise<{ trusted: boolean } | undefined> {
  return (await api.server.ask<{ roots: { trusted: boolean }[] }>("remora/scripts", {}))?.roots[0];
}

/** What scripts say of the function in shop/labels.py. */
async function said(api: Api): Promise<Record<string, unknown> | undefined> {
  const context = await api.server.ask<Context>("remora/getContext", { nodes: ["shop.labels.price"] });
  return context?.nodes["shop.labels.price"]?.extra;
}
