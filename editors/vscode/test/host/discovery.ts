import { strict as assert } from "node:assert";
import * as vscode from "vscode";
import type { Api } from "../../src/extension";
import { activated, eventually, running, withSettings } from "./workspace";

const { FAKE_PYTHON, FAKE_SERVER, FAKE_EMPTY } = process.env as Record<string, string>;
const select = (python: string | undefined) => vscode.commands.executeCommand("fakePython.select", python);

export function discovery(): void {
  describe("finding and starting the server", () => {
    let api: Api;

    before(async () => {
      api = await activated();
    });

    it("takes the selected Python environment's", async () => {
      await running(api);
      assert.equal(api.server.search.program, FAKE_PYTHON!.replace(/python$/, "remora-hub-lsp"));
    });

    it("says that the server is missing where another environment without it is selected", async () => {
      await select(FAKE_EMPTY);
      await eventually(() => api.server.phase === "missing", "phase missing");
      assert.match(api.server.search.trail.join("\n"), /no remora-hub-lsp in it.*\nPATH: no remora-hub-lsp/);
      await eventually(() => /not installed/.test(api.status.item.text), "the status item");
    });

    it("installs it into that environment, with pip, and starts it", async () => {
      await vscode.commands.executeCommand("remoraHub.install");
      assert.equal(api.server.phase, "running", api.server.reason);
      assert.equal(api.server.search.program, FAKE_EMPTY!.replace(/python$/, "remora-hub-lsp"));
      await select(FAKE_PYTHON);
      await eventually(() => api.server.search.environment?.python === FAKE_PYTHON, "the first environment");
      await running(api);
    });

    it("prefers remoraHub.path, the first that exists, and restarts when it changes", async () => {
      await withSettings({ path: ["${workspaceFolder}/nothing", FAKE_SERVER] }, async () => {
        await eventually(() => api.server.search.program === FAKE_SERVER, "the program of the setting");
        await running(api);
      });
      await eventually(() => api.server.search.program !== FAKE_SERVER, "the program of the environment");
      await running(api);
    });

    it("asks no environment with importStrategy fromPath", async () => {
      await withSettings({ importStrategy: "fromPath" }, async () => {
        await eventually(() => api.server.phase === "missing", "phase missing");
        assert.equal(api.server.search.environment, undefined);
      });
      await running(api);
    });

    it("sends what is set, and restarts when that changes", async () => {
      const first = api.server.client;
      assert(!("exclude" in sent(api)!));
      await withSettings({ exclude: ["tests/"], logFile: "" }, async () => {
        await eventually(() => api.server.client && api.server.client !== first, "a new session");
        await eventually(() => sent(api)?.["exclude"], "the setting");
        assert(!("logFile" in sent(api)!), "an empty text means not set");
        await running(api);
        const symbols = await api.server.ask<{ symbols: unknown[] }>("remora/search", { query: "test_tax_is_added" });
        assert.deepEqual(symbols?.symbols, []);
      });
      await eventually(() => sent(api) && !("exclude" in sent(api)!), "the setting's removal");
      await running(api);
    });

    it("restarts on command, and shows that it is busy meanwhile", async () => {
      const first = api.server.client;
      const seen: string[] = [];
      const listener = api.server.onDidChange((phase) => seen.push(`${phase}${api.status.item.busy ? ", busy" : ""}`));
      await vscode.commands.executeCommand("remoraHub.restart");
      listener.dispose();
      assert.deepEqual(seen.slice(0, 2), ["stopped", "starting, busy"]);
      assert.equal(api.server.phase, "running");
      assert.notEqual(api.server.client, first);
    });

    it("comes back by itself when the server dies", async () => {
      const status = await api.server.ask<{ pid: number }>("remora/status", {});
      process.kill(status!.pid);
      await eventually(() => api.server.phase !== "running", "the end of the session");
      await running(api);
      const again = await api.server.ask<{ pid: number }>("remora/status", {});
      assert.notEqual(again!.pid, status!.pid);
    });
  });
}

function sent(api: Api): Record<string, unknown> | undefined {
  return api.server.client?.clientOptions.initializationOptions as Record<string, unknown> | undefined;
}
