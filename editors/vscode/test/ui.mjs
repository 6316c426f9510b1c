// The packaged extension in VS Code's user interface, in a browser; pictures of it for the README.
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

/** Packages the extension, and installs it as people do. */
export function packageExtension() {
  execFileSync("npm", ["run", "--silent", "package"], { cwd: EXTENSION, stdio: ["ignore", "ignore", "inherit"] });
}

/** Takes each of the tours in a window of its own. */
export async function inBrowser(sandbox, ...tours) {
  const main = path.join(fetchServer(), "out/server-main.js");
  const install = ["--install-extension", path.join(EXTENSION, "out/remora-hub.vsix"), "--accept-server-license-terms"];
  const where = ["--extensions-dir", sandbox.folder("extensions"), "--server-data-dir", sandbox.folder("install")];
  execFileSync(process.execPath, [main, ...install, ...where], { stdio: "ignore" });
  const server = await startServer(sandbox, { machineSettings: LOOKS });
  const browser = await launchBrowser();
  try {
    for (const tour of tours) {
      const window = await Window.open(browser, server, sandbox.project);
      await tour(window, sandbox).catch((error) => window.still("failed").then(() => Promise.reject(error)));
      console.log(`  ok    ${tour.name}`);
    }
    return 0;
  } finally {
    await browser.close();
    await server.stop();
    sandbox.remove();
  }
}

async function showsWhatItKnows(window) {
  const { page } = window;
  await window.openFile("shop", "cart.py");
  await window.openView("Remora Hub");
  await window.widenSideBar(60);
  await window.text("total").first().click();
  await window.row("Cart.total").first().waitFor();
  await page.locator(".codelens-decoration a", { hasText: "callers" }).first().waitFor();
  await window.picture("node");

  await window.text("total_of").last().hover();
  await page.locator(".monaco-hover-content", { hasText: "def total_of" }).first().waitFor();
  await window.still("hover");

  await page.keyboard.press("Escape");
  await page.locator('.statusbar-item[id="status.languageStatus"]').hover();
  await page.getByText(/Remora Hub: ready/).first().waitFor();
  await window.still("status");
}

async function leadsToCallersAndTests(window) {
  const { page } = window;
  await window.openFile("shop", "cart.py");
  const lens = page.locator(".codelens-decoration a", { hasText: "2 callers" }).last();
  await lens.waitFor();
  await window.picture("lenses");
  await lens.click();
  await page.locator(".peekview-widget .reference-zone-widget, .reference-zone-widget").first().waitFor();
  await page.locator(".reference-zone-widget .monaco-list-row", { hasText: "labels.py" }).first().waitFor();
  await window.picture("callers");
}

/** A parameter is renamed, and its docstring is not: until the quick fix. */
async function mendsADocstring(window) {
  const { page } = window;
  await window.openFile("shop", "cart.py");
  await window.openView("Remora Hub");
  await window.widenSideBar(60);
  await window.select("tax: float = 0.0");
  await page.keyboard.type("vat: float = 0.0");
  const squiggle = page.locator(".squiggly-warning").first();
  await squiggle.waitFor();
  await window.row("docstring outdated").first().waitFor();
  await window.row("shop/cart.py").first().waitFor();
  await window.text("total").first().click();
  await window.picture("outdated");

  await page.keyboard.press("Control+.");
  await page.locator(".action-widget", { hasText: "vat" }).waitFor();
  await window.still("quickfix");
  await page.keyboard.press("Enter");
  await squiggle.waitFor({ state: "detached" });
  await window.text("vat: the share").first().waitFor();
}

async function offersToInstallWhatIsMissing(window) {
  const { page } = window;
  await window.openFile("shop", "cart.py");
  await window.openView("Remora Hub");
  await page.locator(".notification-toast", { hasText: "remora-hub-lsp was not found" }).waitFor();
  await page.locator(".welcome-view-content", { hasText: "is not installed here" }).waitFor();
  await window.picture("missing");
  await page.locator(".notification-toast a.monaco-button", { hasText: "Install into .venv" }).click();
  await window.text("total").first().click();
  await window.row("Cart.total").first().waitFor();
}

export const tours = [showsWhatItKnows, leadsToCallersAndTests, mendsADocstring];
export const tourOfWhatIsMissing = offersToInstallWhatIsMissing;
