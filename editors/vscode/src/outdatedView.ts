/** The view of all outdated docstrings. */
import { ItemView } from "./itemView";
import type { Item } from "./items";
import { OUTDATED } from "./protocol";
import type { Server } from "./server";

export class OutdatedView extends ItemView {
  constructor(server: Server) {
    super("remoraHub.outdated", server);
  }

  protected async load(): Promise<Item[] | undefined> {
    await this.server.ask(OUTDATED, {});
    return [];
  }
}
