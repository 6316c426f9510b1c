// Runs the suites: node test/run.mjs PROGRAM [SUITE...], where PROGRAM is the remora-hub-lsp to test with.
import path from "node:path";
import { runInHost } from "./harness/host.mjs";
import { createSandbox } from "./harness/sandbox.mjs";
import { startServer } from "./harness/vscode.mjs";

const program = path.resolve(process.argv[2]);
const suites = {
  async trusted() {
    const sandbox = createSandbox(program);
    const server = await startServer({ extensions: sandbox.folder("extensions"), environment: sandbox.environment });
    try {
      return await runInHost(server, "trusted", sandbox);
    } finally {
      server.stop();
      sandbox.remove();
    }
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
