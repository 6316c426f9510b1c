// Runs a suite of test/host inside the real extension host, and gives its exit code.
import { appendFileSync, existsSync, readFileSync } from "node:fs";
import { launchBrowser } from "./browser.mjs";
import { EXTENSION } from "./sandbox.mjs";

const HANG = 240_000;

/** `opened`: the folder or workspace. `meanwhile` gets VS Code's page, for what only a person can do. */
export async function runInHost(server, suite, sandbox, { opened = `folder=${sandbox.project}`, meanwhile = async () => {} }) {
  const chatter = `${sandbox.home}/console.log`;
  const browser = await launchBrowser();
  try {
    const page = await browser.newPage();
    const ended = new Promise((resolve, reject) => {
      setTimeout(() => reject(new Error(`${suite}: no end after ${HANG / 1000} s`)), HANG).unref();
      void page.exposeFunction("codeAutomationExit", (code) => resolve(code));
      page.once("crash", () => reject(new Error(`${suite}: the page crashed`)));
    });
    await page.exposeFunction("codeAutomationLog", (_, [text]) => appendFileSync(chatter, `${text}\n`));
    const host = new URL(server.url).host;
    const payload = [
      ["extensionDevelopmentPath", `vscode-remote://${host}${EXTENSION}`],
      ["extensionTestsPath", `vscode-remote://${host}${EXTENSION}/out/test/${suite}`],
    ];
    await page.goto(`${server.url}/?${opened}&payload=${encodeURIComponent(JSON.stringify(payload))}`);
    const [code] = await Promise.all([ended, meanwhile(page)]);
    if (code !== 0) console.log(readFileSync(chatter, "utf8").slice(-5000));
    return code;
  } finally {
    if (existsSync(sandbox.report)) console.log(readFileSync(sandbox.report, "utf8"));
    await browser.close();
  }
}
