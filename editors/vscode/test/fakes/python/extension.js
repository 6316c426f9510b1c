// Stands in for Microsoft's Python extension: $FAKE_PYTHON is selected, until the command selects another one.
const vscode = require("vscode");

exports.activate = () => {
  const changed = new vscode.EventEmitter();
  let selected = process.env.FAKE_PYTHON;
  vscode.commands.registerCommand("fakePython.select", (python) => {
    selected = python;
    changed.fire({ path: python });
  });
  return {
    environments: {
      onDidChangeActiveEnvironmentPath: changed.event,
      getActiveEnvironmentPath: () => ({ path: selected }),
      resolveEnvironment: async ({ path }) =>
        path && { executable: { uri: vscode.Uri.file(path) } },
    },
  };
};
