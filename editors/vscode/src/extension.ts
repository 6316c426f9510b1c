/** Starts everything, and connects the parts. */
import * as vscode from "vscode";
import { registerCommands } from "./commands";
import { Environments } from "./environments";
import { lensCommands, middleware } from "./features";
import { offerHelp } from "./install";
import { NodeView } from "./nodeView";
import { OutdatedView } from "./outdatedView";
import { Server, type Channels } from "./server";
import { SECTION, serverSettingNames } from "./settings";
import { Status } from "./status";

/** What the tests, and other extensions, get. */
export interface Api {
  readonly server: Server;
  readonly status: Status;
  readonly node: NodeView;
  readonly outdated: OutdatedView;
}

export function activate({ extension, subscriptions }: vscode.ExtensionContext): Api {
  const channels: Channels = {
    client: vscode.window.createOutputChannel("Remora Hub (client)", { log: true }),
    server: vscode.window.createOutputChannel("Remora Hub (server)", { log: true }),
    trace: vscode.window.createOutputChannel("Remora Hub (trace)", { log: true }),
  };
  const environments = new Environments(channels.client);
  const server = new Server(extension, environments, channels, { middleware });
  const api = { server, status: new Status(server), node: new NodeView(server), outdated: new OutdatedView(server) };
  subscriptions.push(
    ...Object.values(channels),
    environments,
    ...Object.values(api),
    ...registerCommands(extension, server, channels),
    ...lensCommands(() => server.client?.protocol2CodeConverter),
    server.onDidChange(() => void offerHelp(server)),
    ...restarts(extension, server, environments),
  );
  void server.restart("the extension was activated");
  ending = () => server.stop();
  return api;
}

let ending: (() => Promise<void>) | undefined;

export function deactivate(): Promise<void> | undefined {
  return ending?.();
}

function restarts(extension: vscode.Extension<unknown>, server: Server, environments: Environments): vscode.Disposable[] {
  const names = restartingSettings(extension);
  return [
    environments.onDidChange(() => server.restart("another Python environment was selected")),
    vscode.workspace.onDidGrantWorkspaceTrust(() => server.restart("the workspace is trusted now")),
    vscode.workspace.onDidChangeConfiguration((change) => {
      const changed = names.filter((name) => change.affectsConfiguration(name));
      if (changed.length) {
        void server.restart(`${changed.join(", ")} changed`);
      }
    }),
  ];
}

/** What the server is told only when it starts, and what outlines depend on: VS Code keeps those it was given. */
function restartingSettings(extension: vscode.Extension<unknown>): string[] {
  const own = ["path", "interpreter", "importStrategy", "outline", ...serverSettingNames(extension)];
  return [...own.map((name) => `${SECTION}.${name}`), "python.languageServer"];
}
