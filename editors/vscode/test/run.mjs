// Runs the suites: node test/run.mjs PROGRAM [SUITE...], where PROGRAM is the remora-hub-lsp to test with.
import path from "node:path";
import { runInHost } from "./harness/host.mjs";
import { createSandbox } from "./harness/sandbox.mjs";
import { inBrowser, packageExtension, tourOfWhatIsMissing, tours } from "./ui.mjs";
import { startServer } from "./harness/vscode.mjs";

const program = path.resolve(process.argv[2]);

async function inHost(suite, sandbox, options = {}) {
  const server = await startServer(sandbox, options);
  try {
    return await runInHost(server, suite, sandbox, options);
  } finally {
    await server.stop();
    sandbox.remove();
  }
}

const suites = {
  /** With Microsoft's Python extension, and no server on PATH. */
  async trusted() {
    const sandbox = createSandbox(program, { onPath: false });
    sandbox.addExtension("python", "ms-python.python");
    Object.assign(sandbox.environment, {
      FAKE_SERVER: program,
      FAKE_PYTHON: sandbox.createEnvironment("full", { withServer: true }),
      FAKE_EMPTY: sandbox.createEnvironment("empty", { withServer: false }),
    });
    return inHost("trusted", sandbox);
  },
  /** The workspace offers a program of its own in every way there is; the one in another folder on PATH is ours. */
  async untrusted() {
    const sandbox = createSandbox(program);
    sandbox.addExtension("python", "ms-python.python");
    const python = sandbox.createEnvironment("shop/.venv", { withServer: false });
    const theirs = path.join(path.dirname(python), "remora-hub-lsp");
    const ran = path.join(sandbox.home, "ran");
    sandbox.write("shop/.venv/bin/remora-hub-lsp", `#!/bin/sh\ntouch ${ran}\nexec ${program} "$@"\n`, 0o755);
    const settings = { "remoraHub.path": [theirs], "remoraHub.logFile": "log.txt", "remoraHub.logLevel": "warning" };
    sandbox.write("shop/.vscode/settings.json", JSON.stringify(settings));
    Object.assign(sandbox.environment, {
      PATH: `${path.dirname(python)}${path.delimiter}${sandbox.environment.PATH}`,
      FAKE_PYTHON: python,
      OWN_SERVER: program,
      WORKSPACE_SERVER: theirs,
      WORKSPACE_SERVER_RAN: ran,
    });
    return inHost("untrusted", sandbox, { trust: false, meanwhile: pressTrust });
  },
  /** With Microsoft's Python Environments extension. */
  async several() {
    const sandbox = createSandbox(program, { onPath: false });
    sandbox.addExtension("envs", "ms-python.vscode-python-envs");
    sandbox.copyProject("second");
    sandbox.write("both.code-workspace", JSON.stringify({ folders: [{ path: "shop" }, { path: "second" }] }));
    Object.assign(sandbox.environment, {
      FAKE_SERVER: program,
      FAKE_PYTHON: sandbox.createEnvironment("empty", { withServer: false }),
    });
    return inHost("several", sandbox, { opened: `workspace=${sandbox.home}/both.code-workspace`, meanwhile: reloadUntilFolders });
  },
  async ui() {
    packageExtension();
    await inBrowser(createSandbox(program), ...tours);
    const without = createSandbox(program, { onPath: false });
    without.addExtension("python", "ms-python.python");
    without.environment.FAKE_PYTHON = without.createEnvironment(".venv", { withServer: false });
    return inBrowser(without, tourOfWhatIsMissing);
  },
};

/** VS Code in the browser now and then reads a workspace's file before it can, and stays without folders: once more. */
async function reloadUntilFolders(page) {
  const second = page.locator(".explorer-folders-view .monaco-list-row").nth(1);
  const isThere = () => second.waitFor({ timeout: 8_000 }).then(() => true, () => false);
  for (let attempt = 0; attempt < 5 && !(await isThere()); attempt++) {
    await page.reload();
  }
}

async function pressTrust(page) {
  await page.locator(".workspace-trust-editor").getByRole("button", { name: "Trust", exact: true }).click();
}

/** Not part of the tests: a measurement, see tests/bench/newcomer.py. */
const measured = { newcomer: () => inHost("newcomer", createSandbox(program)) };

const wanted = process.argv.length > 3 ? process.argv.slice(3) : Object.keys(suites);
for (const name of wanted) {
  console.log(`\n== ${name}`);
  const code = await { ...suites, ...measured }[name]();
  if (code !== 0) {
    console.log(`== ${name} failed (${code})`);
    process.exit(1);
  }
}
process.exit(0);
