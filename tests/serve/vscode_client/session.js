// One session with the server, as an editor has it: open, type broken and valid text, ask after each step.
// Usage: node session.js ROOT_URI COMMAND ARGUMENT... ; prints what was answered, as one JSON object.
"use strict";

const { spawn } = require("node:child_process");
const { StreamMessageReader, StreamMessageWriter, createMessageConnection } = require("vscode-jsonrpc/node");
const lsp = require("vscode-languageserver-protocol");

const [rootUri, command, ...args] = process.argv.slice(2);
const uri = `${rootUri}/shop/cart.py`;
const seen = { progress: [], errors: [] };

const server = spawn(command, args, { stdio: ["pipe", "pipe", "inherit"] });
const connection = createMessageConnection(
  new StreamMessageReader(server.stdout),
  new StreamMessageWriter(server.stdin),
);
connection.onError((error) => seen.errors.push(String(error)));
connection.onUnhandledNotification(({ method }) => {
  // LSP: what begins with "$/" may be ignored by whoever does not know it.
  if (!method.startsWith("$/")) {
    seen.errors.push(`unhandled: ${method}`);
  }
});
connection.onRequest(lsp.WorkDoneProgressCreateRequest.type, ({ token }) => {
  connection.onProgress(lsp.WorkDoneProgress.type, token, (value) => seen.progress.push(value.kind));
});
connection.listen();

let version = 1;

function edit(line, from, to, text) {
  const range = lsp.Range.create(line, from, line, to);
  return connection.sendNotification(lsp.DidChangeTextDocumentNotification.type, {
    textDocument: { uri, version: ++version },
    contentChanges: [{ range, text }],
  });
}

async function hover(line, character) {
  const params = { textDocument: { uri }, position: { line, character } };
  const answer = await connection.sendRequest(lsp.HoverRequest.type, params);
  return answer && answer.contents;
}

async function symbols() {
  const tree = await connection.sendRequest(lsp.DocumentSymbolRequest.type, { textDocument: { uri } });
  if (!tree.every(lsp.DocumentSymbol.is)) {
    seen.errors.push("not document symbols");
  }
  const flat = (nodes) => nodes.flatMap((node) => [node.name, ...flat(node.children || [])]);
  return flat(tree);
}

const context = (params) => connection.sendRequest("remora/getContext", params);

async function main() {
  seen.initialize = await connection.sendRequest(lsp.InitializeRequest.type, {
    processId: process.pid,
    rootUri,
    workspaceFolders: [{ uri: rootUri, name: "root" }],
    capabilities: {
      general: { positionEncodings: ["utf-16"] },
      window: { workDoneProgress: true },
      textDocument: {
        hover: { contentFormat: ["markdown", "plaintext"] },
        documentSymbol: { hierarchicalDocumentSymbolSupport: true },
      },
    },
  });
  await connection.sendNotification(lsp.InitializedNotification.type, {});
  const text = [
    "class Cart:",
    "    def total(self): ...  # 🙂",
    "    def empty(self): ...",
    "def main(): ...",
    "",
  ].join("\n");
  await connection.sendNotification(lsp.DidOpenTextDocumentNotification.type, {
    textDocument: lsp.TextDocumentItem.create(uri, "python", version, text),
  });
  seen.opened = await hover(1, 10);
  edit(1, 18, 18, ", tax: float"); // no await: the question is right behind the edit
  seen.typed = await hover(1, 10);
  edit(1, 0, 0, '"""'); // an unclosed string swallows all that follows, for a plain parser
  seen.symbolsWhileBroken = await symbols();
  edit(1, 0, 3, "");
  edit(2, 18, 18, ", (");
  seen.broken = await hover(2, 10);
  seen.contextWhileBroken = await context({ nodes: ["shop/cart.py:Cart.empty", "shop/cart.py:main"] });
  edit(2, 18, 21, ", now");
  seen.symbols = await symbols();
  seen.context = await context({
    nodes: ["shop.cart.Cart.total", "node:shop/cart.py:Cart.empty", "shop/cart.py:gone"],
    positions: [{ uri, position: { line: 2, character: 10 } }],
  });
  seen.found = await connection.sendRequest(lsp.WorkspaceSymbolRequest.type, { query: "on_disk" });
  const source = new lsp.CancellationTokenSource();
  const slow = connection.sendRequest("remora/getContext", { minRevision: 1e9, waitMs: 600000 }, source.token);
  source.cancel();
  seen.cancelled = await slow.catch((error) => error.code);
  seen.wrong = await context({ nodes: [5] }).catch((error) => ({ code: error.code, message: error.message }));
  await connection.sendNotification(lsp.DidCloseTextDocumentNotification.type, { textDocument: { uri } });
  seen.closed = await symbols();
  await connection.sendRequest(lsp.ShutdownRequest.type);
  const ended = new Promise((resolve) => server.on("exit", resolve));
  await connection.sendNotification(lsp.ExitNotification.type);
  seen.exitCode = await ended;
  process.stdout.write(JSON.stringify(seen));
}

main().catch((error) => {
  process.stderr.write(`${error.stack}\n`);
  server.kill();
  process.exit(1);
});
