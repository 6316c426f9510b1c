// Stands in for Microsoft's Python Environments extension: $FAKE_PYTHON is selected; what it is told to install, it links
// from $FAKE_SERVER.
const { symlinkSync } = require("node:fs");
const path = require("node:path");
const vscode = require("vscode");

exports.activate = () => ({
  onDidChangeEnvironment: new vscode.EventEmitter().event,
  getEnvironment: async () => ({ displayName: "fake", execInfo: { run: { executable: process.env.FAKE_PYTHON } } }),
  managePackages: async (_, { install }) =>
    install.forEach((name) => symlinkSync(process.env.FAKE_SERVER, path.join(path.dirname(process.env.FAKE_PYTHON), name))),
});
