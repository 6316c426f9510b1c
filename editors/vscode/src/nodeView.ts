/** The view of the node under the cursor. */
import * as vscode from "vscode";
import { ItemView } from "./itemView";
import { leaf, nodeItems, type Item } from "./items";
import { pythonEditor } from "./places";
import { GET_CONTEXT, type Context } from "./protocol";
import type { Server } from "./server";

const AROUND = ["callers", "callees", "tests"];

export class NodeView extends ItemView {
  constructor(server: Server) {
    super("remoraHub.node", server, [
      vscode.window.onDidChangeActiveTextEditor,
      vscode.window.onDidChangeTextEditorSelection,
    ]);
  }

  /** What was shown stays while no Python editor has the focus. */
  protected async load(): Promise<Item[] | undefined> {
    const editor = pythonEditor();
    const root = editor && vscode.workspace.getWorkspaceFolder(editor.document.uri)?.uri;
    if (!editor || !root) {
      return undefined;
    }
    const uri = this.server.client?.code2ProtocolConverter.asUri(editor.document.uri);
    const { line, character } = editor.selection.active;
    try {
      const params = { positions: [{ uri, position: { line, character } }], include: AROUND };
      const context = await this.server.ask<Context>(GET_CONTEXT, params);
      return context ? nodeItems(context, `${uri}:${line}:${character}`, root) : [];
    } catch (error) {
      return [leaf("no answer", error instanceof Error ? error.message : String(error), "error")];
    }
  }
}
