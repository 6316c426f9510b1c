/** Starts everything, and connects the parts. */
import * as vscode from "vscode";
import { Environments } from "./environments";
import { Server, type Channels } from "./server";
import { SECTION, serverSettingNames } from "./settings";

/** What the tests, and other extensions, get. */
export interface Api {
  readonly server: Server;
}

export async function activate(context: vscode.ExtensionContext): Promise<Api> {
  const channels: Channels = {
    client: vscode.window.createOutputChannel("Remora Hub (client)", { log: true }),
    server: vscode.window.createOutputChannel("Remora Hub (server)", { log: true }),
    trace: vscode.window.createOutputChannel("Remora Hub (trace)", { log: true }),
  };
  const environments = new Environments(channels.client);
  const server = new Server(context.extension, environments, channels, {});
  context.subscriptions.push(...Object.values(channels), environments, server);
  context.subscriptions.push(
    vscode.commands.registerCommand("remoraHub.restart", () => server.restart("asked for")),
    ...restarts(context.extension, server, environments),
  );
  await server.restart("the extension was activated");
  return { server };
}

/** What the server is told only when it starts. */
function restarts(extension: vscode.Extension<unknown>, server: Server, environments: Environments) {
  const names = ["path", "interpreter", "importStrategy", ...serverSettingNames(extension)];
  return [
    environments.onDidChange(() => server.restart("another Python environment was selected")),
    vscode.workspace.onDidGrantWorkspaceTrust(() => server.restart("the workspace is trusted now")),
    vscode.workspace.onDidChangeConfiguration((change) => {
      const changed = names.filter((name) => change.affectsConfiguration(`${SECTION}.${name}`));
      if (changed.length) {
        void server.restart(`the settings ${changed.join(", ")} changed`);
      }
    }),
  ];
}
