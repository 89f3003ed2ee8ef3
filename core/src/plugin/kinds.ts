/** The kinds of plugins there are, in the order of the manual; `isKind` tells whether a word is one. */

import type { PluginKind } from "./contract.js";

export const pluginKinds: readonly PluginKind[] = [
  "transport",
  "address",
  "store",
  "service",
  "arbiter",
  "fence",
  "observer",
];

export function isKind(word: unknown): word is PluginKind {
  return pluginKinds.some((kind) => kind === word);
}

/** Keys of a plugin's entry in the config that are the core's and never reach the plugin. */
export function coreKeysOf(kind: PluginKind): readonly string[] {
  return kind === "transport" ? ["plugin", "class", "name"] : ["plugin"];
}
