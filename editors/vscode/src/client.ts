/** The language client, with what is particular to this server. */
import { LanguageClient, type LanguageClientOptions, type StaticFeature } from "vscode-languageclient/node";
import { LENS_COMMANDS } from "./features";

export class Client extends LanguageClient {
  constructor(program: string, options: LanguageClientOptions) {
    super("remoraHub", "Remora Hub", { command: program, args: ["--stdio"] }, options);
    this.registerFeature(KNOWN_COMMANDS);
  }

  /** Goes to the log alone: what people can do something about, `offerHelp` tells. */
  override error(message: string, data?: unknown): void {
    super.error(message, data, false);
  }
}

/** Tells the server which commands its hovers may link to. */
const KNOWN_COMMANDS: StaticFeature = {
  fillClientCapabilities(capabilities) {
    capabilities.experimental = { ...capabilities.experimental, remora: { commands: LENS_COMMANDS } };
  },
  initialize() {},
  getState: () => ({ kind: "static" }),
  clear() {},
};
