/**
 * What a plugin may know of how this node is (capability `status`): numbers and states for monitoring, in a shape of its
 * own, so that the status of the command line can change without any plugin.
 */

import type { PathClass, Protection, ServiceHealth, Side } from "./contract.js";

/**
 * One moment of this node. Within one PLUGIN_API_VERSION keys are added, never taken away or given another meaning.
 * `undefined` means that it is not known now, never zero.
 */
export interface StatusView {
  readonly cluster: string;
  readonly node: string;
  readonly side: Side;
  readonly version: string;
  /** The deciding half; undefined while pulse does not run or has not been heard. */
  readonly pulse: PulseView | undefined;
  /** Undefined with `sessions: none`. */
  readonly sessions: SessionsView | undefined;
  readonly services: readonly {
    readonly name: string;
    readonly health: ServiceHealth;
    readonly serving: boolean;
  }[];
  /** `dropped`: timeline entries that this observer was too slow for, since the start. */
  readonly observers: readonly { readonly name: string; readonly dropped: number }[];
  /** Of the node process; bytes, and milliseconds of processor time since its start. */
  readonly process: ProcessView;
}

export interface ProcessView {
  readonly rssBytes: number;
  readonly cpuMs: number;
}

export interface PulseView {
  /** "joining", "standby", "claiming", "active", "releasing", "maintenance" or "failed". */
  readonly role: string;
  /** How long it has had that role, milliseconds, when pulse last said so: once a second at least. */
  readonly roleForMs: number;
  /** 0 while this node has none of its own. */
  readonly epoch: number;
  /** The highest epoch it has heard of (rule R16). */
  readonly highestEpoch: number;
  readonly verified: boolean;
  readonly maintenance: boolean;
  readonly peer: {
    readonly alive: boolean;
    /** Undefined until it was heard. */
    readonly role: string | undefined;
    readonly inSync: boolean;
    readonly configEqual: boolean | undefined;
  };
  /** The silence that counts as death now (rule R11), and the worst heard lately; milliseconds. */
  readonly deadTimeMs: number;
  readonly worstSilenceMs: number;
  readonly paths: readonly {
    readonly name: string;
    readonly class: PathClass;
    /** The other node has been heard on it, and has heard us. */
    readonly twoWay: boolean;
    readonly lastHeardMsAgo: number | undefined;
    /** One way, at the median of the last 100 beats, milliseconds. */
    readonly latencyMs: number | undefined;
  }[];
  readonly protections: readonly Protection[];
  readonly alarms: readonly { readonly code: string; readonly detail: string }[];
  readonly process: ProcessView;
}

export interface SessionsView {
  /** The store can make a new session durable. */
  readonly store: boolean;
  /** Both nodes have every acknowledged session, as far as this one knows (rule R20). */
  readonly inSync: boolean;
  readonly verified: boolean;
  readonly linkUp: boolean;
  readonly running: number;
  /** Ended ones whose tombstone is still kept (rule R19). */
  readonly ended: number;
  readonly bytes: number;
  /** How far the other node is behind: own changes that it has not confirmed. */
  readonly unconfirmed: number;
  /** Since the start of the node process. */
  readonly acknowledged: { readonly replicated: number; readonly solo: number };
}

export interface StatusReader {
  /** The newest that is known; costs no question to pulse. Synchronous; throws before the node has been built. */
  read(): StatusView;
}
