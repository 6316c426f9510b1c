/** What an agent should know about the node under the cursor, as text to paste. */
import * as vscode from "vscode";
import { pythonEditor } from "./places";
import { GET_CONTEXT, type Context, type NodeState, type Relation } from "./protocol";
import type { Server } from "./server";
import { setting } from "./settings";

const TITLES: Record<Relation, string> = { callers: "Callers", callees: "Calls", tests: "Tests" };

/** Puts the context of the node under the cursor on the clipboard; says so, or why not. */
export async function copyContext(server: Server, format: "markdown" | "json"): Promise<void> {
  const editor = pythonEditor();
  if (!editor) {
    return void vscode.window.showWarningMessage("Remora Hub: put the cursor into a Python file first.");
  }
  const uri = server.client?.code2ProtocolConverter.asUri(editor.document.uri);
  const { line, character } = editor.selection.active;
  const context = await server.ask<Context>(GET_CONTEXT, {
    positions: [{ uri, position: { line, character } }],
    include: ["source", "callers", "callees", "tests"],
    budget: setting<number>("contextBudget"),
  });
  const node = context && Object.values(context.nodes)[0];
  if (!node) {
    const reason = context?.missing[0]?.reason ?? "the server does not run";
    return void vscode.window.showWarningMessage(`Remora Hub: nothing is known about this place (${reason}).`);
  }
  await vscode.env.clipboard.writeText(format === "json" ? JSON.stringify(context, null, 2) : asMarkdown(context));
  void vscode.window.setStatusBarMessage(`$(copy) Context of ${node.qualname} copied`, 3000);
}

/** The whole answer: what is stale or was left out is said. */
export function asMarkdown(context: Context): string {
  const parts = Object.entries(context.nodes).map(([id, node]) => nodeMarkdown(id, node, context));
  const left = context.omitted.map(({ what, reason }) => `${what} (${reason})`);
  return [
    ...parts,
    ...(left.length ? [`Left out: ${left.join(", ")}.`] : []),
    `Remora Hub: index ${context.state}, revision ${context.revision}.\n`,
  ].join("\n\n");
}

function nodeMarkdown(id: string, node: NodeState, context: Context): string {
  const { source, ...findings } = node.extra;
  const code = typeof source === "string" ? source : node.signature;
  const lines = `${node.range.start.line + 1}-${node.range.end.line + 1}`;
  const stale = context.stale.filter((entry) => entry.id === id).map((entry) => entry.reason);
  return [
    `# ${node.qualname} (${node.kind}, ${node.file_path}:${lines})`,
    ...(code ? [fence(code, "python")] : []),
    ...(node.docstring_outdated ? [`The docstring is outdated: ${node.docstring_outdated_reason}.`] : []),
    ...stale.map((reason) => `Not up to date: ${reason}.`),
    ...(["callers", "callees", "tests"] as const).flatMap((name) => relationMarkdown(name, id, context)),
    ...(Object.keys(findings).length ? [`## Findings\n\n${fence(JSON.stringify(findings, null, 2), "json")}`] : []),
  ].join("\n\n");
}

/** Nothing where the server has not computed the relation. */
function relationMarkdown(name: Relation, id: string, context: Context): string[] {
  const keys = context.relations[id]?.[name];
  if (!keys) {
    return [];
  }
  const lines = keys.map((key) => `- ${relatedMarkdown(key, context.related[key])}`);
  return [`## ${TITLES[name]}\n\n${lines.join("\n") || "none"}`];
}

function relatedMarkdown(key: string, node: NodeState | undefined): string {
  if (!node) {
    return `\`${key.replace(/^node:/, "")}\``;
  }
  const head = `\`${node.signature ?? node.qualname}\` ${node.file_path}:${node.name_range.start.line + 1}`;
  return node.docstring ? `${head}: ${node.docstring}` : head;
}

/** A fence that is longer than every run of backticks in the text. */
function fence(text: string, language: string): string {
  const longest = Math.max(2, ...[...text.matchAll(/`+/g)].map((run) => run[0].length));
  const ticks = "`".repeat(longest + 1);
  return `${ticks}${language}\n${text.replace(/\n$/, "")}\n${ticks}`;
}
