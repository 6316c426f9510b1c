// What a suite runs in: a copy of the test project, and a hub process of its own.
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

export const EXTENSION = path.resolve(import.meta.dirname, "../..");

/** `program`: remora-hub-lsp. `onPath`: whether it is on PATH. */
export function createSandbox(program, { onPath = true } = {}) {
  const home = mkdtempSync(path.join(tmpdir(), "remora-test-"));
  const folder = (name) => {
    mkdirSync(path.join(home, name), { recursive: true, mode: 0o700 });
    return path.join(home, name);
  };
  const project = path.join(home, "shop");
  cpSync(path.join(EXTENSION, "test/project"), project, { recursive: true });
  const environment = {
    PATH: [...(onPath ? [path.dirname(program)] : []), "/usr/bin", "/bin"].join(path.delimiter),
    XDG_RUNTIME_DIR: folder("run"),
    XDG_CACHE_HOME: folder("cache"),
    REMORA_TEST_REPORT: path.join(home, "report.txt"),
  };
  return {
    home,
    project,
    folder,
    environment,
    report: environment.REMORA_TEST_REPORT,
    remove() {
      execFileSync(program, ["stop"], { env: { ...process.env, ...environment }, stdio: "ignore" });
      rmSync(home, { recursive: true, force: true });
    },
  };
}
