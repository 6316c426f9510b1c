/** The Python environment that is selected in VS Code, through whichever of Microsoft's extensions is there. */
import * as path from "node:path";
import * as vscode from "vscode";

const ENVIRONMENTS = "ms-python.vscode-python-envs";
const PYTHON = "ms-python.python";

export interface Environment {
  /** What people call it. */
  readonly name: string;
  /** The interpreter's path. */
  readonly python: string;
  /** Installs packages with the environment's own manager (uv, conda, ...); missing where only pip is known. */
  install?(requirement: string): Promise<void>;
}

/** Tells the selected environment and when another one is selected. Needs none of the extensions. */
export class Environments implements vscode.Disposable {
  private readonly changed = new vscode.EventEmitter<void>();
  private readonly listeners = new Map<string, vscode.Disposable>();
  readonly onDidChange = this.changed.event;

  constructor(private readonly log: vscode.LogOutputChannel) {}

  dispose(): void {
    this.changed.dispose();
    this.listeners.forEach((listener) => listener.dispose());
  }

  async selected(resource: vscode.Uri | undefined): Promise<Environment | undefined> {
    return (await this.ask(ENVIRONMENTS, fromEnvironments, resource)) ?? (await this.ask(PYTHON, fromPython, resource));
  }

  private async ask<Api>(id: string, source: Source<Api>, resource: vscode.Uri | undefined) {
    const extension = vscode.extensions.getExtension<Api>(id);
    if (!extension) {
      return undefined;
    }
    try {
      const api = await extension.activate();
      if (!this.listeners.has(id)) {
        this.listeners.set(id, source.listen(api, () => this.changed.fire()));
      }
      return await source.selected(api, resource);
    } catch (error) {
      this.log.warn(`${id} could not tell the selected environment: ${error}`);
      return undefined;
    }
  }
}

interface Source<Api> {
  listen(api: Api, changed: () => void): vscode.Disposable;
  selected(api: Api, resource: vscode.Uri | undefined): Promise<Environment | undefined>;
}

/** The part of ms-python.vscode-python-envs' API that is used here. */
interface EnvironmentsApi {
  onDidChangeEnvironment: vscode.Event<unknown>;
  getEnvironment(scope: vscode.Uri | undefined): Promise<PythonEnvironment | undefined>;
  managePackages(environment: PythonEnvironment, options: { install: string[] }): Promise<void>;
}

interface PythonEnvironment {
  displayName: string;
  execInfo?: { run: { executable: string } };
}

const fromEnvironments: Source<EnvironmentsApi> = {
  listen: (api, changed) => api.onDidChangeEnvironment(changed),
  async selected(api, resource) {
    const found = await api.getEnvironment(resource);
    const python = found?.execInfo?.run.executable;
    return found && python
      ? { name: found.displayName, python, install: (what) => api.managePackages(found, { install: [what] }) }
      : undefined;
  },
};

/** The part of ms-python.python's API that is used here. */
interface PythonApi {
  environments: {
    onDidChangeActiveEnvironmentPath: vscode.Event<unknown>;
    getActiveEnvironmentPath(resource: vscode.Uri | undefined): { path: string };
    resolveEnvironment(path: { path: string }): Promise<ResolvedEnvironment | undefined>;
  };
}

interface ResolvedEnvironment {
  environment?: { name?: string };
  executable: { uri?: vscode.Uri };
}

const fromPython: Source<PythonApi> = {
  listen: (api, changed) => api.environments.onDidChangeActiveEnvironmentPath(changed),
  async selected(api, resource) {
    const found = await api.environments.resolveEnvironment(api.environments.getActiveEnvironmentPath(resource));
    const python = found?.executable.uri?.fsPath;
    return python ? { name: found?.environment?.name ?? folderName(python), python } : undefined;
  },
};

/** `.venv` for `/project/.venv/bin/python`. */
function folderName(python: string): string {
  return path.basename(path.dirname(path.dirname(python))) || python;
}
