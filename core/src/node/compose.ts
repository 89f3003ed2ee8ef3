/**
 * Makes the parts of a node process out of its config: plugins, keys, links. The one place that knows which
 * implementation stands behind each part.
 */

import type { LocalConfig } from "../config/config.js";
import { loadConfig } from "../config/load.js";
import { deriveKey } from "../keys/derive.js";
import { readKeyFile } from "../keys/key-file.js";
import type { ProcessLog } from "../log.js";
import { type CallMeter, measured } from "../plugin/call-meter.js";
import {
  buildOrStandIn,
  buildPlugin,
  type CapabilityValues,
  type Loaded,
  loadPlugins,
  missingOf,
} from "../plugin/host.js";
import { identityOf } from "../plugin/identity.js";
import { missingText } from "../plugin/stand-in.js";
import { uniqueNames } from "../plugin/unique-names.js";
import { monotonicClock } from "../pulse/clock.js";
import { version } from "../version.js";
import { watchBlocking } from "./blocking.js";
import type { Keys, Named, NodeParts, Replaceable } from "./parts.js";
import { createSessionEngine } from "./session-engine-start.js";
import { createStatusSource } from "./status-view.js";
import { createTlsPeerLink } from "./tls-peer-link.js";
import { createTokens } from "./tokens.js";

export interface ComposeOptions {
  readonly configFile: string | undefined;
  readonly node: string | undefined;
  readonly log: ProcessLog;
}

/** A link over which nothing came for so long is closed: four lost thirds, so that one stall is no end. */
const linkSilenceMs = 2000;

/** Throws an UnderstudyError when config, plugins or keys are wrong. */
export async function composeNode(local: LocalConfig, options: ComposeOptions): Promise<NodeParts> {
  const { log } = options;
  const { config, self, peer } = local;
  const readKeys = () => linkKeys(config.keyFile);
  const keys = readKeys();
  const loaded = await loadPlugins(local, "node", { bearing: true });
  const missing = missingOf(loaded).flatMap(({ entry, problem }) => {
    if (problem === undefined) return [];
    log.error({ error: problem }, missingText(entry, problem));
    return [{ text: missingText(entry, problem), code: problem.code }];
  });
  const tokens = createTokens(config.folders.state, log);
  await tokens.open();
  const engine =
    config.sessions === undefined
      ? undefined
      : createSessionEngine({ local, ...keys, log: log.with({ part: "sessions" }) });
  const statusSource = createStatusSource();
  const given: CapabilityValues = {
    status: statusSource,
    clock: monotonicClock,
    node: identityOf(local),
    folders: config.folders,
    tokens: tokens.verifier,
    sessions: engine?.api,
  };
  const blocking = watchBlocking({ clock: monotonicClock, log });
  const build = builder(given, log, blocking.meter);
  return {
    version,
    local,
    clock: monotonicClock,
    log,
    missing,
    statusSource,
    blocking,
    tokens,
    engine,
    services: build.all(loaded.services, []),
    observers: build.all(loaded.observers, []),
    transports: loaded.transports.map((one) => ({
      name: one.entry.name,
      entry: JSON.stringify(one.entry),
      plugin: buildOrStandIn(
        one,
        {
          ...given,
          path: { name: one.entry.name, class: one.entry.class },
          log: log.with({ path: one.entry.name }),
        },
        "node",
      ),
    })),
    arbiters: build
      .all(loaded.arbiters, [])
      .map((named, at) => ({ ...named, exclusive: loaded.arbiters[at]?.plugin.exclusive ?? false })),
    fences: build.all(loaded.fences, []),
    freshAddresses: () =>
      loaded.addresses.map((one) =>
        buildPlugin(one, { ...given, log: log.with({ plugin: one.plugin.name }) }),
      ),
    makeLink: (listeners, keys) =>
      createTlsPeerLink({
        name: "node",
        cluster: config.cluster,
        side: self.side,
        localAddresses: self.addresses,
        peerAddresses: peer.addresses,
        port: config.heartbeat.port,
        ...keys,
        silenceMs: linkSilenceMs,
        listeners,
      }),
    readKeys,
    async reread(running): Promise<Replaceable> {
      const next = await loadConfig(options.configFile, { node: options.node });
      const again = await loadPlugins(next, "node");
      return {
        local: next,
        services: build.all(again.services, running.services),
        observers: build.all(again.observers, running.observers),
      };
    },
  };
}

function linkKeys(keyFile: string): Keys {
  const { keys, signWith } = readKeyFile(keyFile);
  return { keys: keys.map(({ id, secret }) => ({ id, secret: deriveKey(secret, "tls") })), signWith };
}

function builder(given: CapabilityValues, log: ProcessLog, meter: CallMeter) {
  return {
    /** Those whose entry is the same as before keep the plugin that runs. */
    all<K extends "service" | "observer" | "arbiter" | "fence">(
      loaded: readonly Loaded<K>[],
      running: readonly Named<ReturnType<typeof buildPlugin<K>>>[],
    ): readonly Named<ReturnType<typeof buildPlugin<K>>>[] {
      const names = uniqueNames(loaded.map(({ entry }) => entry));
      return loaded.map((one, index) => {
        const name = names[index] ?? one.plugin.name;
        const entry = JSON.stringify([one.packageName, one.options]);
        const same = running.find((before) => before.name === name && before.entry === entry);
        if (same !== undefined) return same;
        const plugin = buildOrStandIn(one, { ...given, log: log.with({ plugin: name }) }, "node");
        return { name, entry, plugin: measured(meter, `${one.plugin.kind} ${name}`, plugin) };
      });
    },
  };
}
