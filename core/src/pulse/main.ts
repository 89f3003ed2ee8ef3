/**
 * The pulse process: small, in real time, and spawning nothing once it runs. It ends at once when something happens that
 * nobody foresaw, because then the kernel and the guard withdraw the address sooner than it could.
 */

import { mkdirSync } from "node:fs";
import type { LocalConfig } from "../config/config.js";
import { loadConfig } from "../config/load.js";
import type { Settings } from "../failover/settings.js";
import { openSystemdNotify } from "../ipc/sd-notify.js";
import { readKeyFile } from "../keys/key-file.js";
import { createLog, type ProcessLog } from "../log.js";
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
import { version } from "../version.js";
import type { NamedBackend } from "./address-chain.js";
import { monotonicClock } from "./clock.js";
import { type Pulse, pulseSocketPath, startPulse } from "./compose.js";
import { removeLeftBehind } from "./left-behind.js";
import type { NamedTransport } from "./paths.js";
import { becomeRealTime } from "./real-time.js";
import { openWatchdog } from "./watchdog.js";

export interface PulseOptions {
  /** Undefined: where `loadConfig` looks by itself. */
  readonly configFile: string | undefined;
  /** Which of the two nodes this is; undefined: found by address or host name. */
  readonly node?: string | undefined;
}

/** EX_SOFTWARE: something that must not happen. */
const exitFailed = 70;
/** A handover and a release are bounded by the decision core; this bounds what it does not know of. */
const stopLimitMs = 15_000;

/**
 * Runs until SIGTERM or SIGINT has been obeyed: the address handed over or released. Throws an UnderstudyError when it
 * cannot start; ends the process with exit code 70 on anything unforeseen.
 */
export async function runPulse(options: PulseOptions): Promise<void> {
  const notify = await openSystemdNotify();
  const load = () => loadConfig(options.configFile, { node: options.node });
  const local = await load();
  const { config, self } = local;
  const { watchdog } = config;
  const log = createLog({ level: config.log.level, fields: { node: self.name, process: "pulse" } });
  let pulse: Pulse | undefined;
  const die = (error: unknown) => endAtOnce(error, log, pulse);
  process.on("uncaughtException", die);
  process.on("unhandledRejection", die);
  try {
    for (const folder of [config.folders.state, config.folders.run])
      mkdirSync(folder, { recursive: true, mode: 0o700 });
    const readKeys = () => readKeyFile(config.keyFile);
    const keyRing = readKeys();
    const plugins = await makePlugins(local, log);
    // Before the backends start: what they spawn must run when everything else does not.
    const realTime = await becomeRealTime();
    const { protection } = realTime;
    if (!protection.inForce) log.warn({ detail: protection.detail }, "pulse does not run in real time");
    pulse = await startPulse({
      ...plugins,
      local,
      keyRing,
      clock: monotonicClock,
      log,
      version,
      protections: [protection],
      notify,
      openWatchdog: watchdog && ((changed) => openWatchdog(watchdog, { log, changed })),
      loadConfig: load,
      readKeys,
      configChanged: ({ config: changed }) => log.setLevel(changed.log.level),
    });
    realTime.riseAboveChildren();
    await untilAskedToEnd(pulse, log);
  } finally {
    process.off("uncaughtException", die);
    process.off("unhandledRejection", die);
    log.flush();
    notify.close();
  }
}

function endAtOnce(error: unknown, log: ProcessLog, pulse: Pulse | undefined): void {
  log.error({ error, code: "PULSE_FAILED" }, "pulse ends at once: something happened that must not");
  log.flush();
  pulse?.lastWords();
  process.exit(exitFailed);
}

async function untilAskedToEnd(pulse: Pulse, log: ProcessLog): Promise<void> {
  const stop = (signal: NodeJS.Signals) => {
    log.info({ signal }, "pulse was asked to end");
    pulse.stop();
    setTimeout(() => {
      log.error({ limitMs: stopLimitMs }, "pulse could not end in order: the kernel withdraws the address");
      log.flush();
      pulse.lastWords();
      process.exit(exitFailed);
    }, stopLimitMs).unref();
  };
  process.on("SIGTERM", stop);
  process.on("SIGINT", stop);
  await pulse.ended;
  process.off("SIGTERM", stop);
  process.off("SIGINT", stop);
}

interface MadePlugins {
  readonly transports: readonly NamedTransport[];
  readonly address: readonly NamedBackend[];
  readonly arbiters: Settings["arbiters"];
}

async function makePlugins(local: LocalConfig, log: ProcessLog): Promise<MadePlugins> {
  const { config } = local;
  const given: CapabilityValues = {
    clock: monotonicClock,
    node: identityOf(local),
    folders: config.folders,
  };
  await removeLeftBehind(local, pulseSocketPath(config.folders.run), { ...given, log });
  const loaded = await loadPlugins(local, "pulse", { bearing: true });
  for (const { entry, problem } of missingOf(loaded)) {
    if (problem !== undefined) log.error({ error: problem }, missingText(entry, problem));
  }
  const here = new Map(loaded.transports.map((one) => [one.entry.name, one]));
  const intervals = new Map(
    [...loaded.transports, ...loaded.otherPaths].map(({ entry, plugin, options }) => [
      entry.name,
      plugin.beatIntervalMs(options),
    ]),
  );
  return {
    transports: config.heartbeat.paths.map((entry) => {
      const { name } = entry;
      const path = { name, class: entry.class };
      const beatIntervalMs = intervals.get(name) ?? 0;
      const found = here.get(name);
      if (found === undefined) return { ...path, beatIntervalMs, transport: undefined };
      const ownLog = log.with({ plugin: found.plugin.name, path: name });
      return {
        ...path,
        beatIntervalMs,
        transport: buildOrStandIn(found, { ...given, path, log: ownLog }, "pulse"),
      };
    }),
    address: loaded.addresses.map((one) => {
      const { name } = one.plugin;
      return { name, backend: buildPlugin(one, { ...given, log: log.with({ plugin: name }) }) };
    }),
    arbiters: arbitersOf(loaded.arbiters),
  };
}

/** They run in node; pulse only knows their names and which of them are exclusive. */
function arbitersOf(loaded: readonly Loaded<"arbiter">[]): Settings["arbiters"] {
  const names = uniqueNames(loaded.map(({ entry }) => entry));
  return loaded.map(({ plugin }, at) => ({ name: names[at] ?? plugin.name, exclusive: plugin.exclusive }));
}
