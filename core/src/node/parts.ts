/**
 * What a node process is made of, as values: the composition root makes them from the config, tests make their own.
 */

import type { LocalConfig } from "../config/config.js";
import type { ProcessLog } from "../log.js";
import type { AddressBackend, Fence, Observer, Service, Transport } from "../plugin/contract.js";
import type { Clock } from "../plugin/tokens.js";
import type { NamedArbiter } from "./arbiters.js";
import type { Blocking } from "./blocking.js";
import type { LinkKey, PeerLink, PeerLinkListeners } from "./peer-link.js";
import type { SessionEngine } from "./session-engine.js";
import type { StatusSource } from "./status-view.js";
import type { Tokens } from "./tokens.js";

export interface Named<T> {
  /** Unique among its kind: "<plugin>" or "<plugin>-2". */
  readonly name: string;
  readonly plugin: T;
  /** Its entry in the config as text: the same text needs no restart at a reload. */
  readonly entry: string;
}

export interface Keys {
  readonly keys: readonly LinkKey[];
  readonly signWith: number;
}

/** What a reload may replace. */
export interface Replaceable {
  readonly local: LocalConfig;
  readonly services: readonly Named<Service>[];
  readonly observers: readonly Named<Observer>[];
}

export interface NodeParts extends Replaceable {
  readonly version: string;
  readonly clock: Clock;
  readonly log: ProcessLog;
  /** Measures the calls into the plugins below; those are wrapped already, transports are not. */
  readonly blocking: Pick<Blocking, "meter" | "tell">;
  readonly tokens: Tokens;
  /** Undefined with `sessions: none`. */
  readonly engine: SessionEngine | undefined;
  /** Those that run in this process, by the name of their path. */
  readonly transports: readonly Named<Transport>[];
  /** In the order of the config. */
  readonly arbiters: readonly NamedArbiter[];
  readonly fences: readonly Named<Fence>[];
  /** New instances that were never started, for the withdrawal of rule R12. */
  freshAddresses(): readonly AddressBackend[];
  /** The node link: see peer-link.ts. */
  makeLink(listeners: PeerLinkListeners, keys: Keys): PeerLink;
  /** Reads the key file; throws when it is refused. */
  readKeys(): Keys;
  /** Reads the config again and builds what changed; entries that are the same keep the plugin that runs. */
  reread(running: Replaceable): Promise<Replaceable>;
  /** Where plugins read the status: node says where it comes from. Undefined: no plugin was given it. */
  readonly statusSource?: Pick<StatusSource, "comesFrom">;
  /** Plugins that cannot be used, and without which this node runs: for the timeline. */
  readonly missing?: readonly { readonly text: string; readonly code: string }[];
  /** Only for tests of a machine that is not this one. */
  readonly boot?: string;
}
