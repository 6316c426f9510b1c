/** The view of all outdated docstrings. */
import * as vscode from "vscode";
import { ItemView } from "./itemView";
import { branch, driftItems, leaf, type Item, type Subject } from "./items";
import { openCommand, rangeOf } from "./places";
import { ACKNOWLEDGE, OUTDATED, type Acknowledged, type Outdated, type OutdatedNode } from "./protocol";
import type { Server } from "./server";

export class OutdatedView extends ItemView {
  constructor(server: Server) {
    super("remoraHub.outdated", server);
  }

  /** By file. */
  protected async load(): Promise<Item[] | undefined> {
    const found = await this.server.ask<Outdated>(OUTDATED, {});
    if (!found) {
      return [];
    }
    this.view.description = found.total ? String(found.total) : "";
    const files = new Map<string, OutdatedNode[]>();
    found.outdated.forEach((node) => files.set(node.uri, [...(files.get(node.uri) ?? []), node]));
    const left = found.total - found.outdated.length;
    return [...[...files.values()].map(fileItem), ...(left ? [leaf(`${left} more`, "", "ellipsis")] : [])];
  }
}

function fileItem(nodes: OutdatedNode[]): Item {
  const [{ uri, path }] = nodes as [OutdatedNode];
  const item = branch(path, String(nodes.length), "", nodes.map(nodeItem));
  item.tree.resourceUri = vscode.Uri.parse(uri);
  item.tree.iconPath = vscode.ThemeIcon.File;
  item.tree.id = uri;
  return item;
}

function nodeItem({ uri: written, qualname, name_range, reason, drift }: OutdatedNode): Item {
  const uri = vscode.Uri.parse(written);
  const item = branch(qualname, reason, "warning", driftItems(drift));
  item.tree.collapsibleState = vscode.TreeItemCollapsibleState.Collapsed;
  item.tree.command = openCommand(new vscode.Location(uri, rangeOf(name_range)));
  item.tree.contextValue = "outdated";
  item.tree.id = `${written}:${qualname}`;
  return { ...item, subject: { uri, qualname } };
}

/** Takes a docstring for true as it stands, until the signature changes again; that can be taken back. */
export async function acknowledge(server: Server, { uri, qualname }: Subject, undo = false): Promise<void> {
  const done = await server.ask<Acknowledged>(ACKNOWLEDGE, { node: `${uri.toString()}:${qualname}`, undo });
  if (done?.changed && !undo) {
    const chosen = await vscode.window.showInformationMessage(`The docstring of ${qualname} counts as true.`, "Undo");
    if (chosen) {
      await acknowledge(server, { uri, qualname }, true);
    }
  }
}
