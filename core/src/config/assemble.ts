/**
 * Makes the typed Config out of a file whose shape is right: names, units and defaults as the rest of the core wants
 * them, and the digest by which two nodes see that they go by the same config (rule R28).
 */

import { createHash } from "node:crypto";
import type { HaAddress } from "../plugin/tokens.js";
import { paceOf } from "./agreement.js";
import type { Config, NodeEntry, PathEntry, PluginEntry } from "./config.js";
import { type FileShape, failbackDetails } from "./schema.js";

export function assembleConfig(file: FileShape): Config {
  const parts: Omit<Config, "digest"> = {
    cluster: file.cluster,
    nodes: nodesOf(file.nodes),
    haAddresses: haAddressesOf(file.haAddress),
    heartbeat: {
      profile: file.heartbeat.profile,
      ...paceOf(file.heartbeat),
      deadCeilingMs: file.heartbeat.deadCeiling,
      port: file.heartbeat.port,
      paths: pathsOf(file.heartbeat.paths),
    },
    leaseMs: file.lease,
    hangLimitMs: file.hangLimit,
    aloneAfterMs: file.aloneAfter,
    failback: failbackOf(file.failback),
    reclaimHoldMs: file.reclaimHold,
    foreignHoldMs: file.foreignHold,
    address: file.address.map((entry, index) => pluginEntry(entry, `address[${index}]`)),
    sessions: file.sessions === "none" ? undefined : pluginEntry(file.sessions, "sessions"),
    replication: {
      port: file.replication.port,
      staleAfterMs: file.replication.staleAfter,
      soloAfterMs: file.replication.soloAfter,
    },
    services: file.services.map((entry, index) => pluginEntry(entry, `services[${index}]`)),
    arbiters: file.arbiters.map((entry, index) => pluginEntry(entry, `arbiters[${index}]`)),
    onArbiterLost: file.onArbiterLost,
    fences: file.fences.map((entry, index) => pluginEntry(entry, `fences[${index}]`)),
    fenceDelayMs: file.fenceDelay,
    observers: file.observers.map((entry, index) => pluginEntry(entry, `observers[${index}]`)),
    watchdog: file.watchdog && { device: file.watchdog.device, timeoutMs: file.watchdog.timeout },
    keyFile: file.keyFile,
    folders: file.folders,
    log: file.log,
  };
  return { ...parts, digest: digestOf(parts) };
}

function nodesOf(nodes: FileShape["nodes"]): readonly [NodeEntry, NodeEntry] {
  const [primary, secondary] = Object.entries(nodes);
  if (primary === undefined || secondary === undefined)
    throw new Error("the schema let fewer than two nodes pass");
  const entry = ([name, value]: typeof primary, side: NodeEntry["side"]): NodeEntry => ({
    name,
    side,
    addresses: typeof value === "string" ? [value] : value,
  });
  return [entry(primary, "primary"), entry(secondary, "secondary")];
}

function haAddressesOf(written: FileShape["haAddress"]): readonly HaAddress[] {
  const list = Array.isArray(written) ? written : [written];
  return list.map((value) =>
    typeof value.address === "string"
      ? { ...(value as Omit<HaAddress, "interfaceName">), interfaceName: undefined }
      : { ...value.address, interfaceName: (value as { interface?: string }).interface },
  );
}

function failbackOf(written: FileShape["failback"]): Config["failback"] {
  const details = typeof written === "string" ? failbackDetails.parse({ mode: written }) : written;
  return {
    mode: details.mode,
    holdMs: details.hold,
    maxHoldMs: details.maxHold,
    manualAfterLosses: details.manualAfterLosses,
    freezeMs: details.freeze,
  };
}

type WrittenEntry = string | { readonly plugin: string; readonly [option: string]: unknown };

function pluginEntry(written: WrittenEntry, at: string): PluginEntry {
  if (typeof written === "string") return { plugin: written, options: {}, at };
  const { plugin, ...options } = written;
  return { plugin, options, at };
}

function pathsOf(written: FileShape["heartbeat"]["paths"]): readonly PathEntry[] {
  const given = new Set(written.flatMap((entry) => (typeof entry === "string" ? [] : (entry.name ?? []))));
  return written.map((entry, index) => {
    const { plugin, options, at } = pluginEntry(entry, `heartbeat.paths[${index}]`);
    const { class: pathClass, name, ...rest } = options;
    const chosen = typeof name === "string" ? name : freeName(plugin, given);
    given.add(chosen);
    // A class may be left out only where there is one path: see agreement.ts.
    return {
      plugin,
      options: rest,
      at,
      name: chosen,
      class: (pathClass as PathEntry["class"] | undefined) ?? "client",
    };
  });
}

/** "udp", then "udp-2"; the last part of a package name or path. */
function freeName(plugin: string, taken: ReadonlySet<string>): string {
  const last = plugin.split("/").at(-1) ?? plugin;
  const name =
    last
      .replace(/\.[a-z]+$/, "")
      .replace(/[^a-zA-Z0-9-]+/g, "-")
      .replace(/^-+|-+$/g, "")
      .slice(0, 27) || "path";
  if (!taken.has(name)) return name;
  for (let number = 2; ; number += 1) {
    if (!taken.has(`${name}-${number}`)) return `${name}-${number}`;
  }
}

/** Over everything but what may rightly differ between the machines: files, devices, and how much is logged. */
function digestOf({ keyFile, folders, log, watchdog, ...equal }: Omit<Config, "digest">): string {
  return createHash("sha256").update(canonical(equal)).digest("hex").slice(0, 8);
}

/** JSON with sorted keys, so that the order in which options are written does not matter. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) => {
    if (typeof part === "bigint") return String(part);
    if (typeof part !== "object" || part === null || Array.isArray(part)) return part;
    return Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)));
  });
}
