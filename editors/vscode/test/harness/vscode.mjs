// VS Code's own server, from code-server's npm package: fetched once into the user's cache, started for each suite.
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, renameSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";

const VERSION = "4.100.3"; // VS Code 1.100
const CACHE = path.join(process.env.XDG_CACHE_HOME ?? path.join(homedir(), ".cache"), "remora-hub-vscode-test");

/** The folder of VS Code's server. */
export function fetchServer() {
  const home = path.join(CACHE, `code-server-${VERSION}`);
  if (!existsSync(home)) {
    mkdirSync(CACHE, { recursive: true });
    const parts = mkdtempSync(path.join(CACHE, "fetching-"));
    const run = (file, args, cwd) => execFileSync(file, args, { cwd, stdio: ["ignore", "ignore", "inherit"] });
    run("npm", ["pack", "--silent", `code-server@${VERSION}`], parts);
    run("tar", ["xzf", `code-server-${VERSION}.tgz`, "package/lib/vscode"], parts);
    const server = path.join(parts, "package/lib/vscode");
    run("npm", ["install", "--omit=dev", "--omit=optional", "--ignore-scripts", "--no-audit", "--no-fund"], server);
    renameSync(server, home);
  }
  return home;
}

/** A server in a sandbox. `trust`: whether workspaces are trusted without asking. */
export async function startServer(sandbox, { machineSettings = {}, trust = true } = {}) {
  const home = fetchServer();
  sandbox.write("vscode/data/Machine/settings.json", JSON.stringify(machineSettings));
  const child = spawn(
    process.execPath,
    [
      path.join(home, "out/server-main.js"),
      ...["--host", "127.0.0.1", "--port", "0", "--without-connection-token", "--accept-server-license-terms"],
      ...["--enable-smoke-test-driver", "--telemetry-level", "off", "--force-disable-user-env"],
      ...(trust ? ["--disable-workspace-trust"] : []),
      ...["--server-data-dir", sandbox.folder("vscode"), "--extensions-dir", sandbox.folder("extensions")],
    ],
    { env: { ...process.env, ...sandbox.environment }, stdio: ["ignore", "pipe", "pipe"], detached: true },
  );
  const said = [];
  const url = await new Promise((resolve, reject) => {
    const listen = (line) => {
      said.push(line);
      const found = /Web UI available at (\S+)/.exec(line) ?? /Extension host agent listening on (\d+)/.exec(line);
      if (found) resolve(found[1].startsWith("http") ? found[1] : `http://127.0.0.1:${found[1]}`);
    };
    createInterface({ input: child.stdout }).on("line", listen);
    createInterface({ input: child.stderr }).on("line", listen);
    child.on("exit", (code) => reject(new Error(`VS Code's server ended with ${code}:\n${said.join("\n")}`)));
  });
  child.removeAllListeners("exit");
  /** With its extension hosts, which would start the hub again. */
  const stop = async () => {
    process.kill(-child.pid, "SIGKILL");
    if (child.exitCode === null) await once(child, "exit");
  };
  return { url: url.replace(/\/$/, ""), stop };
}
