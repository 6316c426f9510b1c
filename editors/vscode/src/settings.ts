/** The settings, as the extension reads them. */
import * as vscode from "vscode";

export const SECTION = "remoraHub";
const SERVER_TITLE = "Remora Hub: Server";

export function setting<T>(name: string): T {
  return vscode.workspace.getConfiguration(SECTION).get(name) as T;
}

/**
 * The server's own settings that somebody set here, by the server's names. What is not set here the project's
 * pyproject.toml may say, so defaults are not sent.
 */
export function serverSettings(extension: vscode.Extension<unknown>): Record<string, unknown> {
  const configuration = vscode.workspace.getConfiguration(SECTION);
  const names = serverSettingNames(extension).filter((name) => isSet(configuration.inspect(name)));
  const values = names.map((name) => [name, configuration.get(name)] as const);
  return Object.fromEntries(values.filter(([, value]) => value !== ""));
}

/** The names of package.json's generated part, see settings.py. */
export function serverSettingNames(extension: vscode.Extension<unknown>): string[] {
  const parts: { title: string; properties: object }[] = extension.packageJSON.contributes.configuration;
  const generated = parts.find((part) => part.title === SERVER_TITLE)?.properties ?? {};
  return Object.keys(generated).map((key) => key.slice(SECTION.length + 1));
}

function isSet(found: ReturnType<vscode.WorkspaceConfiguration["inspect"]>): boolean {
  return [found?.globalValue, found?.workspaceValue, found?.workspaceFolderValue].some((value) => value !== undefined);
}
