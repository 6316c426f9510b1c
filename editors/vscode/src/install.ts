/** Offers, to people, what helps when the server is not there; installs it. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import * as vscode from "vscode";
import { PROGRAM } from "./discovery";
import type { Environment } from "./environments";
import type { Server } from "./server";
import { setting } from "./settings";

/** Says what is wrong, once for each time that the server is not found or fails. */
export async function offerHelp(server: Server): Promise<void> {
  const { phase, reason, search } = server;
  if (phase !== "missing" && phase !== "failed") {
    return;
  }
  const untrusted = vscode.workspace.isTrusted ? "" : " The workspace is not trusted, so its environment was not looked at.";
  const install = search.environment && `Install into ${search.environment.name}`;
  const choices: Record<string, string> = {
    ...(phase === "missing" && install ? { [install]: "remoraHub.install" } : {}),
    ...(phase === "failed" ? { Restart: "remoraHub.restart" } : {}),
    ...(untrusted ? { "Manage Trust": "workbench.trust.manage" } : {}),
    "Show Log": "remoraHub.showClientLog",
    Settings: "remoraHub.openSettings",
  };
  const said = `Remora Hub: ${phase === "missing" ? reason : `the server does not start: ${reason}`}.${untrusted}`;
  const chosen = await vscode.window.showErrorMessage(said, ...Object.keys(choices));
  if (chosen) {
    await vscode.commands.executeCommand(choices[chosen]!);
  }
}

/** Installs the server into the selected Python environment, and starts it. */
export async function install(server: Server, log: vscode.LogOutputChannel): Promise<void> {
  const { environment } = server.search;
  if (!environment) {
    const how = `Install it by hand (\`pipx install ${PROGRAM}\`), or select a Python environment and try again.`;
    return void vscode.window.showErrorMessage(`Remora Hub: no Python environment is selected. ${how}`);
  }
  const requirement = setting<string>("installFrom");
  try {
    await (environment.install?.(requirement) ?? pipInstall(environment, requirement, log));
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    log.error(`${requirement} could not be installed: ${why}`);
    return void vscode.window.showErrorMessage(`Remora Hub: ${requirement} could not be installed: ${why}`);
  }
  await server.restart(`${requirement} was installed into ${environment.name}`);
}

function pipInstall({ python, name }: Environment, requirement: string, log: vscode.LogOutputChannel): Thenable<void> {
  const options = { location: vscode.ProgressLocation.Notification, title: `Installing ${requirement} into ${name}`, cancellable: true };
  return vscode.window.withProgress(options, async (_, token) => {
    const abort = new AbortController();
    token.onCancellationRequested(() => abort.abort());
    const args = ["-m", "pip", "install", "--upgrade", requirement];
    log.info(`${python} ${args.join(" ")}`);
    const child = spawn(python, args, { signal: abort.signal, stdio: ["ignore", "pipe", "pipe"] });
    const said = [child.stdout, child.stderr].map((stream) => logLines(stream, log));
    const [code] = (await once(child, "close")) as [number];
    await Promise.all(said);
    if (code !== 0) {
      throw new Error(`pip ended with ${code}, see the log`);
    }
  });
}

async function logLines(stream: Readable, log: vscode.LogOutputChannel): Promise<void> {
  for await (const line of createInterface({ input: stream })) {
    log.info(line);
  }
}
