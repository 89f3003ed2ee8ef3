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
import { canStandIn, standIn } from "./stand-in.js";

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

export interface LoadOptions {
  /** Something stands in for each plugin that cannot be used and without which the pair is still safe. */
  readonly bearing?: boolean;
}

/**
 * Imports only what the config names and this process needs. Throws one PLUGIN_… error, or PLUGINS_WRONG for several; with
 * `bearing` only for what a node cannot run without.
 */
export async function loadPlugins(
  local: LocalConfig,
  which: HostProcess,
  { bearing = false }: LoadOptions = {},
): Promise<LoadedPlugins> {
  const { config, file } = local;
  const problems: UnderstudyError[] = [];
  const load = async <K extends PluginKind>(
    entries: readonly Loaded<K>["entry"][],
    kind: K,
  ): Promise<readonly Loaded<K>[]> => {
    const settled = await Promise.allSettled(entries.map((entry) => loadPlugin(entry, kind, file)));
    return settled.flatMap((result, at) => {
      if (result.status === "fulfilled") return [result.value];
      const problem: unknown = result.reason;
      if (!(problem instanceof UnderstudyError)) throw problem;
      const entry = entries[at];
      if (bearing && entry !== undefined && canStandIn(kind, problem))
        return [standIn(entry, kind, problem, which)];
      problems.push(problem);
      return [];
    });
  };
  // First, because nothing else may keep a process from taking the address off this machine (rule R6).
  const addresses = await load(config.address, "address");
  const paths = await load(config.heartbeat.paths, "transport");
  const inNode = which === "node";
  const stores = await load(inNode && config.sessions !== undefined ? [config.sessions] : [], "store");
  const services = await load(inNode ? config.services : [], "service");
  const observers = await load(inNode ? config.observers : [], "observer");
  const arbiters = await load(config.arbiters, "arbiter");
  const fences = await load(inNode ? config.fences : [], "fence");
  // With no path left there is nothing by which this node could know of the other.
  if (paths.every(({ problem }) => problem !== undefined))
    problems.push(...paths.flatMap(({ problem }) => problem ?? []));
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

/** Those of them that something stands in for. */
export function missingOf({ transports, arbiters, fences, observers }: LoadedPlugins): readonly Loaded[] {
  return [...transports, ...arbiters, ...fences, ...observers].filter(({ problem }) => problem !== undefined);
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

/** As `buildPlugin`; something stands in for a plugin that cannot be made and without which the pair is safe. */
export function buildOrStandIn<K extends PluginKind>(
  loaded: Loaded<K>,
  values: CapabilityValues,
  which: HostProcess,
): PluginKinds[K] {
  const { plugin, entry } = loaded;
  try {
    return buildPlugin(loaded, values);
  } catch (error) {
    if (!(error instanceof UnderstudyError) || !canStandIn(plugin.kind, error)) throw error;
    values.log?.error(
      { error, code: error.code },
      "a plugin cannot be used; this process goes on without it",
    );
    return buildPlugin(standIn(entry, plugin.kind, error, which), values);
  }
}
