/**
 * What differs between two configs, and what of it takes effect without an outage. Pure.
 */

import type { Config } from "../config/config.js";

export interface ConfigChanges {
  /** Names of keys whose new values are in force after a reload. */
  readonly now: readonly string[];
  /** Names of keys that need both processes to be started anew: a config that changes one is not taken over at all. */
  readonly atRestart: readonly string[];
}

type Part = readonly [name: string, of: (config: Config) => unknown];

const reloadable: readonly Part[] = [
  ["heartbeat.profile", ({ heartbeat }) => heartbeat.profile],
  ["heartbeat.interval", ({ heartbeat }) => heartbeat.intervalMs],
  ["heartbeat.deadFloor", ({ heartbeat }) => heartbeat.deadFloorMs],
  ["heartbeat.deadCeiling", ({ heartbeat }) => heartbeat.deadCeilingMs],
  ["hangLimit", ({ hangLimitMs }) => hangLimitMs],
  ["aloneAfter", ({ aloneAfterMs }) => aloneAfterMs],
  ["failback", ({ failback }) => failback],
  ["reclaimHold", ({ reclaimHoldMs }) => reclaimHoldMs],
  ["foreignHold", ({ foreignHoldMs }) => foreignHoldMs],
  ["services", ({ services }) => services],
  ["onArbiterLost", ({ onArbiterLost }) => onArbiterLost],
  ["fenceDelay", ({ fenceDelayMs }) => fenceDelayMs],
  ["observers", ({ observers }) => observers],
  ["log", ({ log }) => log],
];

const fixed: readonly Part[] = [
  ["cluster", ({ cluster }) => cluster],
  ["nodes", ({ nodes }) => nodes],
  ["haAddress", ({ haAddresses }) => haAddresses],
  ["heartbeat.port", ({ heartbeat }) => heartbeat.port],
  ["heartbeat.paths", ({ heartbeat }) => heartbeat.paths],
  ["lease", ({ leaseMs }) => leaseMs],
  ["address", ({ address }) => address],
  ["sessions", ({ sessions }) => sessions],
  ["arbiters", ({ arbiters }) => arbiters],
  ["fences", ({ fences }) => fences],
  ["replication", ({ replication }) => replication],
  ["watchdog", ({ watchdog }) => watchdog],
  ["keyFile", ({ keyFile }) => keyFile],
  ["folders", ({ folders }) => folders],
];

export function configChanges(before: Config, after: Config): ConfigChanges {
  const changed = (parts: readonly Part[]) =>
    parts.filter(([, of]) => JSON.stringify(of(before)) !== JSON.stringify(of(after))).map(([name]) => name);
  return { now: changed(reloadable), atRestart: changed(fixed) };
}

export function describeChanges({ now }: ConfigChanges): string {
  return now.length === 0 ? "the config has not changed" : `in force now: ${now.join(", ")}`;
}
