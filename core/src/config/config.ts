/**
 * The config as the rest of the core sees it: parsed, defaulted, units in names. `load.ts` makes it from the one YAML
 * file; nothing else reads that file.
 */

import type { PathClass, Side } from "../plugin/contract.js";
import type { HaAddress } from "../plugin/tokens.js";

export interface PluginEntry {
  /** Short name, package name or path, as written. */
  readonly plugin: string;
  /** All other keys of the entry, not yet validated by the plugin's schema. */
  readonly options: Readonly<Record<string, unknown>>;
  /** Where the entry stands in the file, for error messages: "heartbeat.paths[1]". */
  readonly at: string;
}

export interface PathEntry extends PluginEntry {
  /** Unique; default "<plugin>" or "<plugin>-2". */
  readonly name: string;
  readonly class: PathClass;
}

export interface NodeEntry {
  readonly name: string;
  readonly side: Side;
  readonly addresses: readonly string[];
}

export type Profile = "standard" | "fast";

export interface Config {
  readonly cluster: string;
  readonly nodes: readonly [NodeEntry, NodeEntry];
  readonly haAddresses: readonly HaAddress[];
  readonly heartbeat: {
    readonly profile: Profile;
    /** standard 20, fast 5 */
    readonly intervalMs: number;
    /** R11's floor: standard 100, fast 32 */
    readonly deadFloorMs: number;
    /** R11's ceiling, 400 */
    readonly deadCeilingMs: number;
    readonly port: number;
    readonly paths: readonly PathEntry[];
  };
  /** R3: 250, floor 100 */
  readonly leaseMs: number;
  /** Fault table: node hung, 1000 */
  readonly hangLimitMs: number;
  /** R24: 30000; null is `never` */
  readonly aloneAfterMs: number | null;
  readonly failback: {
    readonly mode: "auto" | "manual";
    /** R25: 10000 */
    readonly holdMs: number;
    /** R25: doubled up to 3600000 */
    readonly maxHoldMs: number;
    /** R25: involuntary losses in an hour that make it manual, 3 */
    readonly manualAfterLosses: number;
    /** R25: the write freeze, 50 */
    readonly freezeMs: number;
  };
  /** R14: no reclaim for 10000 */
  readonly reclaimHoldMs: number;
  /** R29: 30000 */
  readonly foreignHoldMs: number;
  readonly address: readonly PluginEntry[];
  /** undefined: the services keep their own data; G3-G5 are not promised. */
  readonly sessions: PluginEntry | undefined;
  readonly replication: {
    /** TCP port of the TLS link between the nodes, default 6941. */
    readonly port: number;
    /** R20: the standby calls itself stale, 500 */
    readonly staleAfterMs: number;
    /** R20: the active answers solo, 1000 */
    readonly soloAfterMs: number;
  };
  readonly services: readonly PluginEntry[];
  /** Asked before this node takes the address (rules R30, R31). */
  readonly arbiters: readonly PluginEntry[];
  /** What an active node does whose exclusive grant ends unrenewed (rule R30). */
  readonly onArbiterLost: "keep" | "stepDown";
  /** In the order in which they are tried (rule R32). */
  readonly fences: readonly PluginEntry[];
  /** R32: how much later the side that is not preferred fires, 30000 */
  readonly fenceDelayMs: number;
  readonly observers: readonly PluginEntry[];
  /** R4: undefined: no device is opened. */
  readonly watchdog: { readonly device: string; readonly timeoutMs: number } | undefined;
  readonly keyFile: string;
  readonly folders: { readonly state: string; readonly run: string };
  readonly log: { readonly level: "debug" | "info" | "warn" | "error" };
  /** 8 hex digits over what must be equal on both nodes (rule R28). */
  readonly digest: string;
}

/** A config seen from one of its nodes. */
export interface LocalConfig {
  /** Absolute path of the file: relative plugins are found from its folder, and mistakes are placed in it. */
  readonly file: string;
  readonly config: Config;
  readonly self: NodeEntry;
  readonly peer: NodeEntry;
}
