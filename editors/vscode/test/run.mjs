// Runs the suites: node test/run.mjs PROGRAM [SUITE...], where PROGRAM is the remora-hub-lsp to test with.
import path from "node:path";
import { runInHost } from "./harness/host.mjs";
import { createSandbox } from "./harness/sandbox.mjs";
import { startServer } from "./harness/vscode.mjs";

const program = path.resolve(process.argv[2]);

async function inHost(suite, sandbox, options = {}) {
  const server = await startServer({ extensions: sandbox.folder("extensions"), environment: sandbox.environment, ...options });
  try {
    return await runInHost(server, suite, sandbox, options.meanwhile);
  } finally {
    server.stop();
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
};

const wanted = process.argv.length > 3 ? process.argv.slice(3) : Object.keys(suites);
for (const name of wanted) {
  console.log(`\n== ${name}`);
  const code = await suites[name]();
  if (code !== 0) {
    console.log(`== ${name} failed (${code})`);
    process.exit(1);
  }
}
process.exit(0);
