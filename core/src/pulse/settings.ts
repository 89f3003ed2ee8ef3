/**
 * From the config to what the decision core goes by, and which changes of the config can be taken over while pulse runs.
 */

import type { LocalConfig } from "../config/config.js";
import type { Settings } from "../failover/settings.js";
import { uniqueNames } from "../plugin/unique-names.js";

/** Rule R9: asked over TLS after this, and one round of probes. */
const askAfterMs = 2500;
const probeEveryMs = 4;

/** What only the loaded plugins tell. */
export interface PluginFacts {
  readonly canProbeAddress: boolean;
  readonly arbiters: Settings["arbiters"];
  /** What each path's medium carries, by name; absent or 0 where it sets no limit. */
  readonly beatIntervals: ReadonlyMap<string, number>;
}

export function settingsOf(
  local: LocalConfig,
  { canProbeAddress, arbiters, beatIntervals }: PluginFacts,
): Settings {
  const { config } = local;
  const { heartbeat } = config;
  return {
    self: local.self.side,
    paths: heartbeat.paths.map((path) => ({
      name: path.name,
      class: path.class,
      intervalMs: Math.max(heartbeat.intervalMs, beatIntervals.get(path.name) ?? 0),
    })),
    intervalMs: heartbeat.intervalMs,
    deadFloorMs: heartbeat.deadFloorMs,
    deadCeilingMs: heartbeat.deadCeilingMs,
    leaseMs: config.leaseMs,
    hangLimitMs: config.hangLimitMs,
    aloneAfterMs: config.aloneAfterMs,
    failback: config.failback,
    reclaimHoldMs: config.reclaimHoldMs,
    foreignHoldMs: config.foreignHoldMs,
    askAfterMs,
    probeEveryMs,
    configDigest: config.digest,
    arbiters,
    onArbiterLost: config.onArbiterLost,
    fences: uniqueNames(config.fences),
    fenceDelayMs: config.fenceDelayMs,
    canProbeAddress,
  };
}

/** The keys whose change needs a restart of pulse, because sockets, backends or files hang on them. */
export function needsRestart(before: LocalConfig, after: LocalConfig): readonly string[] {
  const parts: Readonly<Record<string, (local: LocalConfig) => unknown>> = {
    cluster: ({ config }) => config.cluster,
    nodes: ({ config }) => config.nodes,
    haAddress: ({ config }) => config.haAddresses,
    "heartbeat.port": ({ config }) => config.heartbeat.port,
    "heartbeat.paths": ({ config }) => config.heartbeat.paths,
    lease: ({ config }) => config.leaseMs,
    address: ({ config }) => config.address,
    arbiters: ({ config }) => config.arbiters,
    fences: ({ config }) => config.fences,
    watchdog: ({ config }) => config.watchdog,
    keyFile: ({ config }) => config.keyFile,
    folders: ({ config }) => config.folders,
  };
  return Object.entries(parts)
    .filter(([, part]) => JSON.stringify(part(before)) !== JSON.stringify(part(after)))
    .map(([name]) => name);
}
