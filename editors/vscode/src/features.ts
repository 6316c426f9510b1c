/** What of the server's features is shown, and beside which others. */
import * as vscode from "vscode";
import type { Middleware } from "vscode-languageclient/node";
import { setting } from "./settings";

/** `auto`: only while no other Python language server shows the same. */
type Switch = "auto" | "on" | "off";

const OTHER_SERVERS = [
  "ms-python.vscode-pylance",
  "ms-pyright.pyright",
  "detachhead.basedpyright",
  "anysphere.cursorpyright",
  "astral-sh.ty",
  "meta.pyrefly",
];

export const middleware: Middleware = {
  provideHover: (document, position, token, next) => (shows("hover") ? next(document, position, token) : undefined),
  provideDocumentSymbols: (document, token, next) => (shows("outline") ? next(document, token) : undefined),
  provideWorkspaceSymbols: (query, token, next) => (shows("workspaceSymbols") ? next(query, token) : undefined),
  provideReferences: (document, position, options, token, next) =>
    shows("references") ? next(document, position, options, token) : undefined,
  prepareCallHierarchy: (document, position, token, next) =>
    shows("callHierarchy") ? next(document, position, token) : undefined,
};

function shows(feature: string): boolean {
  const wanted = setting<Switch>(feature);
  return wanted === "on" || (wanted === "auto" && !otherServer());
}

/** Another language server for Python that is installed and on. */
export function otherServer(): string | undefined {
  const chosen = vscode.workspace.getConfiguration("python").get<string>("languageServer");
  const pylanceIsOff = chosen === "None" || chosen === "Jedi";
  const found = OTHER_SERVERS.filter((id) => vscode.extensions.getExtension(id));
  return found.find((id) => !(pylanceIsOff && id === "ms-python.vscode-pylance")) ?? (chosen === "Jedi" ? "Jedi" : undefined);
}

/** What the server's code lenses and hovers lead to. */
export const LENS_COMMANDS = ["remora.showCallers", "remora.showTests"];

/** The commands of code lenses: `uri`, `position` and `locations` come from the server, in LSP's shapes. */
export function lensCommands(convert: () => Converter | undefined): vscode.Disposable[] {
  const show = (uri: string, position: LspPosition, locations: LspLocation[]) => {
    const to = convert();
    return to && vscode.commands.executeCommand(
      "editor.action.showReferences", to.asUri(uri), to.asPosition(position), locations.map((at) => to.asLocation(at)));
  };
  return LENS_COMMANDS.map((id) => vscode.commands.registerCommand(id, show));
}

type LspPosition = { line: number; character: number };
type LspLocation = { uri: string; range: { start: LspPosition; end: LspPosition } };

/** The part of the language client's converter that is used here. */
interface Converter {
  asUri(uri: string): vscode.Uri;
  asPosition(position: LspPosition): vscode.Position;
  asLocation(location: LspLocation): vscode.Location;
}
