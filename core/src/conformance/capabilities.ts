/**
 * Values for a plugin's needs in its own tests: a log that remembers, the real monotonic clock, one node of a pair, and
 * folders that go away. Also builds a plugin the way the host does: schema first, then `make`.
 */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pluginError } from "../errors/plugins.js";
import { beatIntervalFault } from "../plugin/check-beat-interval.js";
import type { PluginKind } from "../plugin/contract.js";
import type { Plugin, PluginKinds } from "../plugin/define-plugin.js";
import type { Clock, Folders, Log, NodeIdentity, PathIdentity } from "../plugin/tokens.js";

export interface LoggedLine {
  readonly level: "debug" | "info" | "warn" | "error";
  readonly fields: Readonly<Record<string, unknown>>;
  readonly message: string;
}

export interface RecordingLog extends Log {
  readonly lines: readonly LoggedLine[];
}

export function recordingLog(): RecordingLog {
  const lines: LoggedLine[] = [];
  const at = (level: LoggedLine["level"]) => (fields: object, message: string) =>
    void lines.push({ level, fields: { ...fields }, message });
  return { lines, debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") };
}

export function monotonicClock(): Clock {
  return { nowMs: () => Number(process.hrtime.bigint()) / 1e6 };
}

/** One node of a pair, by default the primary at 127.0.0.1 of a pair on loopback; `other` gives its peer's view. */
export function testNode(changes: Partial<NodeIdentity> = {}): NodeIdentity {
  return {
    cluster: "test",
    name: "one",
    side: "primary",
    peerName: "two",
    addresses: ["127.0.0.1"],
    peerAddresses: ["127.0.0.2"],
    haAddresses: [{ address: "127.0.0.3", family: 4, prefixLength: 8, interfaceName: undefined }],
    heartbeatPort: 6940,
    leaseMs: 250,
    ...changes,
  };
}

/** The same pair seen from its other node. */
export function otherNode(node: NodeIdentity): NodeIdentity {
  return {
    ...node,
    name: node.peerName,
    peerName: node.name,
    side: node.side === "primary" ? "secondary" : "primary",
    addresses: node.peerAddresses,
    peerAddresses: node.addresses,
  };
}

export function testPath(changes: Partial<PathIdentity> = {}): PathIdentity {
  return { name: "test", class: "client", ...changes };
}

export interface TestFolders extends Folders {
  remove(): void;
}

export function testFolders(): TestFolders {
  const state = mkdtempSync(join(tmpdir(), "understudy-state-"));
  const run = mkdtempSync(join(tmpdir(), "understudy-run-"));
  return {
    state,
    run,
    remove() {
      for (const folder of [state, run]) rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** What the host does with one entry of the config: throws where the plugin's own schema refuses the options, or its `beatIntervalMs` gives no time for them. */
export function makePlugin<K extends PluginKind>(
  plugin: Plugin<K>,
  options: Readonly<Record<string, unknown>>,
  needs: Readonly<Record<string, unknown>>,
): PluginKinds[K] {
  for (const wanted of Object.keys(plugin.needs)) {
    if (!(wanted in needs)) throw new Error(`the test gives no ${wanted}, which ${plugin.name} needs`);
  }
  const parsed = plugin.config.parse(options);
  const fault = beatIntervalFault(plugin, parsed);
  if (fault !== undefined) throw pluginError("PLUGIN_BEAT_INTERVAL_WRONG", `${plugin.name}: ${fault.what}`);
  return plugin.make(parsed, needs);
}
