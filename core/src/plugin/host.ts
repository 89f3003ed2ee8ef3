/**
 * Brings the plugins of the config into a process: loads those it names, reports everything that is wrong at once, and
 * makes each with the values it needs. Which process runs which is decided by the plugin's own `runsIn`.
 */

import type { LocalConfig } from "../config/config.js";
import { UnderstudyError } from "../errors/error.js";
import { pluginError } from "../errors/plugins.js";
import { madeFaults } from "./check-made.js";
import type { HostProcess, PluginKind } from "./contract.js";
import type { PluginKinds } from "./define-plugin.js";
import { type CapabilityValues, resolveNeeds } from "./di.js";
import { guarded } from "./guard.js";
import { type Loaded, loadPlugin } from "./load-plugin.js";
import { asOne } from "./several.js";

export type { CapabilityValues } from "./di.js";
export { type Loaded, loadPlugin } from "./load-plugin.js";

export interface LoadedPlugins {
  /** Those that run in this process, in the order of the paths. */
  readonly transports: readonly Loaded<"transport">[];
  /** Those that run in the other process. */
  readonly otherPaths: readonly Loaded<"transport">[];
  /** In the order of the chain. Run in pulse; node loads them too, to withdraw for a dead pulse (rule R12). */
  readonly addresses: readonly Loaded<"address">[];
  /** Empty or undefined in pulse, from here on. */
  readonly store: Loaded<"store"> | undefined;
  readonly services: readonly Loaded<"service">[];
  readonly observers: readonly Loaded<"observer">[];
  /** In both processes: pulse must know which are exclusive. Made in node alone. */
  readonly arbiters: readonly Loaded<"arbiter">[];
  readonly fences: readonly Loaded<"fence">[];
}

/** Imports only what the config names and this process needs. Throws one PLUGIN_… error, or PLUGINS_WRONG for several. */
export async function loadPlugins(local: LocalConfig, which: HostProcess): Promise<LoadedPlugins> {
  const { config, file } = local;
  const problems: UnderstudyError[] = [];
  const load = async <K extends PluginKind>(
    entries: readonly Loaded<K>["entry"][],
    kind: K,
  ): Promise<readonly Loaded<K>[]> => {
    const settled = await Promise.allSettled(entries.map((entry) => loadPlugin(entry, kind, file)));
    return settled.flatMap((result) => {
      if (result.status === "fulfilled") return [result.value];
      if (!(result.reason instanceof UnderstudyError)) throw result.reason;
      problems.push(result.reason);
      return [];
    });
  };
  const paths = await load(config.heartbeat.paths, "transport");
  const addresses = await load(config.address, "address");
  const inNode = which === "node";
  const stores = await load(inNode && config.sessions !== undefined ? [config.sessions] : [], "store");
  const services = await load(inNode ? config.services : [], "service");
  const observers = await load(inNode ? config.observers : [], "observer");
  const arbiters = await load(config.arbiters, "arbiter");
  const fences = await load(inNode ? config.fences : [], "fence");
  if (problems.length > 0) throw asOne(problems);
  return {
    transports: paths.filter(({ plugin }) => plugin.runsIn === which),
    otherPaths: paths.filter(({ plugin }) => plugin.runsIn !== which),
    addresses,
    store: stores[0],
    services,
    observers,
    arbiters,
    fences,
  };
}

/** All plugins of both processes, in the order of the file; throws as `loadPlugins` does. For `check` and `plugins`. */
export async function checkPlugins(local: LocalConfig): Promise<readonly Loaded[]> {
  const loaded = await loadPlugins(local, "node");
  const { transports, otherPaths, addresses, store, services, arbiters, fences, observers } = loaded;
  const paths = local.config.heartbeat.paths.map(({ at }) => at);
  const inOrder = [...transports, ...otherPaths].sort(
    (a, b) => paths.indexOf(a.entry.at) - paths.indexOf(b.entry.at),
  );
  return [
    ...inOrder,
    ...addresses,
    ...(store === undefined ? [] : [store]),
    ...services,
    ...arbiters,
    ...fences,
    ...observers,
  ];
}

/**
 * Makes the plugin with plain values. Throws a PLUGIN_… error when its needs cannot be met or its create() did not give
 * what its kind demands. What it gives is guarded: see guard.ts.
 */
export function buildPlugin<K extends PluginKind>(
  loaded: Loaded<K>,
  values: CapabilityValues,
): PluginKinds[K] {
  const { plugin, entry, options, packageName } = loaded;
  const who = `${packageName} (${entry.at})`;
  const { values: needs, missing } = resolveNeeds(plugin.needs, values);
  if (missing.length > 0) {
    const what = `${who} needs ${missing.join(" and ")}, which a ${plugin.kind} cannot have here`;
    throw pluginError("PLUGIN_NEEDS_UNAVAILABLE", what, { details: { missing } });
  }
  let made: PluginKinds[K];
  try {
    made = plugin.make(options, needs);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw pluginError("PLUGIN_CREATE_FAILED", `${who} failed in create: ${why}`, { cause });
  }
  const faults = madeFaults(made, plugin.kind);
  if (faults.length > 0) throw asOne(faults.map(({ code, what }) => pluginError(code, `${who}: ${what}`)));
  return guarded(made, plugin.kind, { who, log: values.log });
}
