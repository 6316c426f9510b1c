/** What the tree views have in common. */
import * as vscode from "vscode";
import type { Item } from "./items";
import type { Server } from "./server";

/** Milliseconds without news before the server is asked again. */
const REST = 120;

export abstract class ItemView implements vscode.TreeDataProvider<Item>, vscode.Disposable {
  private readonly changed = new vscode.EventEmitter<void>();
  protected readonly view: vscode.TreeView<Item>;
  private readonly subscriptions: vscode.Disposable[];
  private timer: NodeJS.Timeout | undefined;
  /** Counts the questions: an answer that was overtaken by another question is not shown. */
  private asked = 0;
  readonly onDidChangeTreeData = this.changed.event;
  items: readonly Item[] = [];

  protected constructor(id: string, protected readonly server: Server, triggers: vscode.Event<unknown>[] = []) {
    this.view = vscode.window.createTreeView(id, { treeDataProvider: this });
    const news = [server.onDidChange, server.onDidChangeNodes, this.view.onDidChangeVisibility, ...triggers];
    this.subscriptions = [this.view, this.changed, ...news.map((event) => event(() => this.refreshSoon()))];
  }

  /** What is to be shown now; undefined: what is shown stays. */
  protected abstract load(): Promise<Item[] | undefined>;

  async refresh(): Promise<void> {
    const mine = ++this.asked;
    const items = this.server.phase === "running" ? await this.load() : [];
    if (items && mine === this.asked) {
      this.items = items;
      this.changed.fire();
    }
  }

  dispose(): void {
    clearTimeout(this.timer);
    this.subscriptions.forEach((subscription) => subscription.dispose());
  }

  getTreeItem(item: Item): vscode.TreeItem {
    return item.tree;
  }

  getChildren(item?: Item): Item[] {
    return [...(item ? (item.children ?? []) : this.items)];
  }

  private refreshSoon(): void {
    clearTimeout(this.timer);
    if (this.view.visible) {
      this.timer = setTimeout(() => void this.refresh(), REST);
    }
  }
}
