/** A node of the index as the items of a tree. */
import * as vscode from "vscode";
import { locationOf, openCommand } from "./places";
import type { Context, Drift, NodeState, Relation } from "./protocol";

export interface Item {
  readonly tree: vscode.TreeItem;
  readonly children?: readonly Item[];
  /** The definition that the item, and the commands of its menu, are about. */
  readonly subject?: Subject;
}

export interface Subject {
  readonly uri: vscode.Uri;
  readonly qualname: string;
}

const ICONS: Record<NodeState["kind"], string> = {
  module: "symbol-module",
  class: "symbol-class",
  function: "symbol-function",
  method: "symbol-method",
  staticmethod: "symbol-method",
  classmethod: "symbol-method",
  property: "symbol-property",
};

const RELATIONS: readonly { name: Relation; title: string; none: string; icon: string }[] = [
  { name: "callers", title: "Callers", none: "no callers", icon: "call-incoming" },
  { name: "callees", title: "Calls", none: "calls nothing of the project", icon: "call-outgoing" },
  { name: "tests", title: "Tests", none: "no tests", icon: "beaker" },
];

/** All that there is to see of the node that was asked for as `id`. */
export function nodeItems(context: Context, id: string, root: vscode.Uri): Item[] {
  const node = context.nodes[id];
  if (!node) {
    return context.missing.map((entry) => leaf(entry.reason, entry.detail ?? "", "warning"));
  }
  return [
    nameItem(node, root),
    ...context.stale.filter((entry) => entry.id === id).map((entry) => leaf("not up to date", entry.reason, "warning")),
    ...(node.signature ? [leaf(node.signature, "", "symbol-key")] : []),
    docstringItem(node, root),
    leaf(facts(node), "", "graph"),
    ...RELATIONS.flatMap((relation) => relationItem(relation, context, id, root)),
    ...scriptItems(node, root),
  ];
}

/** One line for a node, that goes to it. */
export function nameItem(node: NodeState, root: vscode.Uri, description?: string): Item {
  const location = locationOf(node, root);
  const tree = new vscode.TreeItem(node.kind === "module" ? node.file_path : node.qualname);
  tree.iconPath = new vscode.ThemeIcon(ICONS[node.kind]);
  tree.description = description ?? `${node.kind} · ${node.file_path}:${location.range.start.line + 1}`;
  tree.tooltip = tooltip(node);
  tree.command = openCommand(location);
  return { tree, subject: subjectOf(node, root) };
}

function subjectOf({ file_path, qualname }: NodeState, root: vscode.Uri): Subject {
  return { uri: vscode.Uri.joinPath(root, file_path), qualname };
}

function docstringItem(node: NodeState, root: vscode.Uri): Item {
  if (node.docstring_outdated) {
    const item = branch("docstring outdated", "", "warning", node.drift ? driftItems(node.drift) : []);
    item.tree.tooltip = node.docstring_outdated_reason ?? "";
    item.tree.contextValue = "outdated";
    return { ...item, subject: subjectOf(node, root) };
  }
  return node.docstring ? leaf(node.docstring, "docstring", "quote") : leaf("no docstring", "", "quote");
}

export function driftItems({ reasons, since, commit, author, signature }: Drift): Item[] {
  const when = since ? new Date(since).toLocaleDateString() : "";
  const whence = [commit && `commit ${commit.slice(0, 10)}`, author].filter(Boolean).join(", ");
  return [
    ...reasons.map(({ message }) => leaf(message, "", "circle-small-filled")),
    ...(signature ? [leaf(signature, "was the signature", "history")] : []),
    ...(when ? [leaf(`since ${when}`, whence, "calendar")] : []),
  ];
}

function facts(node: NodeState): string {
  const hints = node.has_type_hints ? "type hints" : "no type hints";
  const isCode = node.kind !== "module" && node.kind !== "class";
  const said = [`${node.line_count ?? 0} lines`, node.complexity !== null && `complexity ${node.complexity}`, isCode && hints];
  return said.filter(Boolean).join(" · ");
}

/** Nothing where the server has not computed the relation. */
function relationItem({ name, title, none, icon }: (typeof RELATIONS)[number], context: Context, id: string, root: vscode.Uri) {
  const keys = context.relations[id]?.[name];
  if (!keys) {
    return [];
  }
  const left = context.omitted.find((entry) => entry.id === id && entry.what === name)?.count ?? 0;
  const children = keys.map((key) => relatedItem(key, context.related[key], root));
  if (left) {
    children.push(leaf(`${left} more`, "", "ellipsis"));
  }
  const item = branch(keys.length ? title : none, keys.length ? String(keys.length + left) : "", icon, children);
  if (keys.length) {
    item.tree.id = name; // so that it stays closed, if it was, from node to node
  }
  return [item];
}

/** What is outside the project has a name, and no place. */
function relatedItem(key: string, node: NodeState | undefined, root: vscode.Uri): Item {
  return node ? nameItem(node, root, where(node)) : leaf(key.replace(/^node:/, ""), "", "library");
}

function where(node: NodeState): string {
  return `${node.file_path}:${node.name_range.start.line + 1}`;
}

/** What scripts say: their findings, which lead to their lines, and whatever else, as it is. */
function scriptItems(node: NodeState, root: vscode.Uri): Item[] {
  const scripts = Object.entries(node.extra).filter(([name]) => name !== "source");
  const children = scripts.map(([name, said]) => {
    const { findings = [], stale, ...more } = said as Said;
    const found = findings.map((finding) => findingItem(finding, node, root));
    return branch(name, stale ? "of an earlier text" : "", "file-code", [...found, ...Object.entries(more).map(valueItem)]);
  });
  return children.length ? [branch("Scripts", "", "lightbulb", children)] : [];
}

interface Finding {
  message: string;
  severity?: "error" | "warning" | "information" | "hint";
  /** 1 is the node's first. */
  line?: number;
}

type Said = { findings?: Finding[]; stale?: boolean } & Record<string, unknown>;

function findingItem({ message, severity, line }: Finding, node: NodeState, root: vscode.Uri): Item {
  const icons: Record<string, string> = { error: "error", information: "info", hint: "info" };
  const at = line === undefined ? node.name_range.start.line : node.range.start.line + line - 1;
  const item = leaf(message, `line ${at + 1}`, icons[severity ?? ""] ?? "warning");
  const uri = vscode.Uri.joinPath(root, node.file_path);
  item.tree.command = openCommand(new vscode.Location(uri, new vscode.Position(at, 0)));
  return item;
}

function valueItem([name, value]: [string, unknown]): Item {
  if (value !== null && typeof value === "object") {
    const size = Array.isArray(value) ? String(value.length) : "";
    return branch(name, size, "symbol-field", Object.entries(value).map(valueItem));
  }
  return leaf(name, String(value), "symbol-field");
}

export function branch(label: string, description: string, icon: string, children: Item[]): Item {
  const item = leaf(label, description, icon);
  const { Expanded, None } = vscode.TreeItemCollapsibleState;
  item.tree.collapsibleState = children.length ? Expanded : None;
  return { ...item, children };
}

export function leaf(label: string, description: string, icon: string): Item {
  const tree = new vscode.TreeItem(label);
  tree.description = description;
  tree.tooltip = [label, description].filter(Boolean).join("\n");
  tree.iconPath = new vscode.ThemeIcon(icon);
  return { tree };
}

function tooltip(node: NodeState): vscode.MarkdownString {
  const text = new vscode.MarkdownString();
  if (node.signature) {
    text.appendCodeblock(node.signature, "python");
  }
  return text.appendText(node.docstring ?? node.file_path);
}
