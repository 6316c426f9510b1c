/** The view of the node under the cursor. */
import * as vscode from "vscode";
import { ItemView } from "./itemView";
import { leaf, nodeItems, type Item } from "./items";
import { pythonEditor } from "./places";
import { GET_CONTEXT, type Context } from "./protocol";
import type { Server } from "./server";

const AROUND = ["callers", "callees", "tests"];

export class NodeView extends ItemView {
  private told = "";

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
      return context ? this.itemsIfOther(context, `${uri}:${line}:${character}`, root) : [];
    } catch (error) {
      return [leaf("no answer", error instanceof Error ? error.message : String(error), "error")];
    }
  }

  /** Undefined where the same is shown already: the tree would lose its selection for nothing. */
  private itemsIfOther(context: Context, id: string, root: vscode.Uri): Item[] | undefined {
    const { nodes, relations, related, missing, stale } = context;
    const told = JSON.stringify([nodes[id], relations[id], related, missing.length, stale.length]);
    if (told === this.told && this.items.length) {
      return undefined;
    }
    this.told = told;
    return nodeItems(context, id, root);
  }
}
