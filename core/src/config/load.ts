/**
 * Loads the one YAML file and says which of its nodes this machine is. The only way a process comes by its config.
 */

import type { LocalConfig } from "./config.js";
import { parseConfig } from "./parse.js";
import { configFileName, readConfigFile } from "./read-file.js";
import { thisMachine, whichNode } from "./which-node.js";

export { parseConfig } from "./parse.js";
export { configFileName } from "./read-file.js";

export interface LoadOptions {
  /** Which node this is; else UNDERSTUDY_NODE, else by address, else by host name. */
  readonly node?: string | undefined;
}

/**
 * Reads, checks and takes the view of this node. `file` undefined: UNDERSTUDY_CONFIG, else the default place. Throws
 * CONFIG_MISSING, CONFIG_UNREADABLE, CONFIG_WRONG (every mistake at once) or CONFIG_WHICH_NODE. Not for worker threads,
 * which cannot change folder: hand them the result.
 */
export async function loadConfig(file: string | undefined, options: LoadOptions = {}): Promise<LocalConfig> {
  const found = await readConfigFile(configFileName(file));
  const config = parseConfig(found.text, found.file);
  const self = whichNode(config, options.node, thisMachine());
  const peer = config.nodes[self.side === "primary" ? 1 : 0];
  return { file: found.file, config, self, peer };
}
