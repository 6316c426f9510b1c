// What a suite runs in: a copy of the test project, and a hub process of its own.
import { spawnSync } from "node:child_process";
import { chmodSync, cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
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
  const copyProject = (name) => {
    cpSync(path.join(EXTENSION, "test/project"), path.join(home, name), { recursive: true });
    return path.join(home, name);
  };
  const project = copyProject("shop");
  const write = (name, text, mode = 0o644) => {
    folder(path.dirname(name));
    writeFileSync(path.join(home, name), text);
    chmodSync(path.join(home, name), mode);
  };
  const environment = {
    PATH: [...(onPath ? [path.dirname(program)] : []), "/usr/bin", "/bin"].join(path.delimiter),
    XDG_RUNTIME_DIR: folder("run"),
    XDG_CACHE_HOME: folder("cache"),
    REMORA_TEST_REPORT: path.join(home, "report.txt"),
  };
  /** A Python environment; its `python` only knows how to install the server. */
  const createEnvironment = (name, { withServer }) => {
    const bin = folder(`${name}/bin`);
    if (withServer) symlinkSync(program, path.join(bin, "remora-hub-lsp"));
    const python = path.join(bin, "python");
    const installs = '[ "$*" = "-m pip install --upgrade remora-hub-lsp" ]';
    write(`${name}/bin/python`, `#!/bin/sh\n${installs} && ln -s ${program} ${bin}/remora-hub-lsp\n`, 0o755);
    return python;
  };
  const addExtension = (fake, id) => {
    const to = path.join(folder("extensions"), `${id}-1.0.0`);
    cpSync(path.join(EXTENSION, "test/fakes", fake), to, { recursive: true });
  };
  return {
    home,
    write,
    copyProject,
    createEnvironment,
    addExtension,
    project,
    folder,
    environment,
    report: environment.REMORA_TEST_REPORT,
    remove() {
      spawnSync(program, ["stop"], { env: { ...process.env, ...environment }, stdio: "ignore" }); // if one runs
      rmSync(home, { recursive: true, force: true, maxRetries: 20, retryDelay: 200 }); // VS Code's children end soon
    },
  };
}
