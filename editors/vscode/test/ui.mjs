// The packaged extension in VS Code's user interface, in a browser; pictures of it for the README.
import { strict as assert } from "node:assert";
import { execFileSync } from "node:child_process";
import path from "node:path";
import { launchBrowser } from "./harness/browser.mjs";
import { Window } from "./harness/page.mjs";
import { EXTENSION } from "./harness/sandbox.mjs";
import { fetchServer, startServer } from "./harness/vscode.mjs";

const LOOKS = {
  "workbench.startupEditor": "none",
  "workbench.tips.enabled": false,
  "chat.commandCenter.enabled": false,
  "window.commandCenter": false,
  "editor.minimap.enabled": false,
  "workbench.layoutControl.enabled": false,
  "breadcrumbs.enabled": false,
  "telemetry.telemetryLevel": "off",
};

export async function ui(sandbox) {
  const extensions = sandbox.folder("extensions");
  execFileSync(process.execPath, [
    path.join(fetchServer(), "out/server-main.js"),
    ...["--install-extension", path.join(EXTENSION, "out/remora-hub.vsix"), "--extensions-dir", extensions],
    ...["--server-data-dir", sandbox.folder("install"), "--accept-server-license-terms"],
  ], { stdio: "ignore" });
  const server = await startServer({ extensions, environment: sandbox.environment, machineSettings: LOOKS });
  const browser = await launchBrowser();
  try {
    const window = await Window.open(browser, server, sandbox.project);
    await tour(window).catch((error) => window.still("failed").then(() => Promise.reject(error)));
    return 0;
  } finally {
    await browser.close();
    server.stop();
    sandbox.remove();
  }
}

async function tour(window) {
  const { page } = window;
  await window.openFile("shop", "cart.py");
  await window.openView("Remora Hub");
  await window.widenSideBar(60);
  await window.text("total").first().click();
  await window.row("Cart.total").first().waitFor();
  await window.picture("node");

  await window.text("total_of").last().hover();
  await page.locator(".monaco-hover-content", { hasText: "def total_of" }).first().waitFor();
  await window.still("hover");

  await page.keyboard.press("Escape");
  await page.locator('.statusbar-item[id="status.languageStatus"]').hover();
  await page.getByText(/Remora Hub: ready/).first().waitFor();
  await window.still("status");
}
