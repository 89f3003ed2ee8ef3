/** The names of plugins of a kind, where the config gives them none: both processes must come to the same. */

import type { PluginEntry } from "../config/config.js";

/** "exec", "exec-2": as paths are named. */
export function uniqueNames(entries: readonly Pick<PluginEntry, "plugin">[]): readonly string[] {
  const seen = new Map<string, number>();
  return entries.map(({ plugin }) => {
    const count = (seen.get(plugin) ?? 0) + 1;
    seen.set(plugin, count);
    return count === 1 ? plugin : `${plugin}-${count}`;
  });
}
