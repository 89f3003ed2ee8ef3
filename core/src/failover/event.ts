/**
 * Everything the decision core can be told. Events carry monotonic milliseconds; nothing else in here knows a time.
 */

import type { Beat, Preference } from "../heartbeat/beat.js";
import type { Outcome, Ruling, SegmentAgreement, Side } from "../plugin/contract.js";
import type { Settings } from "./settings.js";

/** What survives a restart of pulse: written before it takes effect (rules R16, R26). */
export interface Intents {
  readonly maintenance: boolean;
  readonly preference: Preference;
}

/** What the node process says about itself, at every change and at least once a second. */
export interface NodeReport {
  readonly services: boolean;
  readonly store: boolean;
  readonly verified: boolean;
  readonly inSync: boolean;
  /** R24: waits alone for the peer before it may be called verified; shown by status. */
  readonly waitingFor: string | undefined;
  /** What there is to serve alone. Absent: it is open. */
  readonly database?: DatabaseState;
  /**
   * With `sessions: none` alone: the nodes have met since this node process started, or it has served. There is nothing
   * to merge, so `verified` is true all along and cannot say it.
   */
  readonly met?: boolean;
}

/** `opening`: it is not known yet what is in it. `lost`: it was set aside, and nobody has refilled it (rule R22). */
export type DatabaseState = "opening" | "open" | "lost";

export type OperatorRequest =
  | { readonly kind: "switchover"; readonly to: Side | undefined; readonly force: boolean }
  | { readonly kind: "clearPreference" }
  | { readonly kind: "maintenance"; readonly on: boolean; readonly force: boolean }
  /** The operator has seen to it that the other node is off: as good as a fence (rule R32). */
  | { readonly kind: "confirmDead" };

/** What an arbiter said to a question about `epoch`. */
export type ArbiterRuled = Ruling & {
  readonly type: "arbiterRuled";
  readonly name: string;
  readonly epoch: number;
};

type Happening =
  /** First event of all. `epoch` is the highest this node ever wrote down, 0 on a new disk. */
  | { readonly type: "started"; readonly nonce: string; readonly epoch: number; readonly intents: Intents }
  /** The time asked for by `wakeAtMs` has come. Sends what is due; judges nothing (rule R10). */
  | { readonly type: "tick" }
  /** A poll pass over every socket delivered nothing: silence may be judged now (rule R10). */
  | { readonly type: "polled" }
  /** An authenticated, fresh beat. `echoAgeMs`: how long ago we sent what it echoes; undefined: it echoes nothing. */
  | {
      readonly type: "beatReceived";
      readonly path: string;
      readonly beat: Beat;
      readonly echoAgeMs: number | undefined;
    }
  /** A well-formed beat of our cluster that does not authenticate (rule R29). */
  | { readonly type: "foreignBeatReceived"; readonly path: string }
  /** The peer's kernel answered probe `round` on a path (a RST from a closed port). */
  | { readonly type: "kernelAnswered"; readonly path: string; readonly round: number }
  | { readonly type: "addressAnswered"; readonly from: "peer" | "stranger" | "unknown"; readonly mac: string }
  | { readonly type: "neighbourHeard"; readonly interfaceName: string }
  /** Whether the segment finds the HA address here, and how often to announce once it does (rule R7). */
  | {
      readonly type: "segmentAgreed";
      readonly agreement: SegmentAgreement;
      readonly refreshMs: number;
      readonly detail: string;
    }
  /** Carrier of an interface that the HA address is on. */
  | { readonly type: "carrierChanged"; readonly up: boolean }
  /** Somebody else took the HA address off this machine, or put it on. */
  | { readonly type: "addressRemoved"; readonly address: string }
  | { readonly type: "addressAdded"; readonly address: string }
  /** The kernel lets this node answer no more although it holds the address: only taking it anew brings that back. */
  | { readonly type: "leaseEnded"; readonly detail: string }
  | {
      readonly type: "actionFinished";
      readonly id: number;
      readonly outcome: Outcome;
      readonly detail?: string;
    }
  | { readonly type: "nodeReported"; readonly report: NodeReport }
  | { readonly type: "nodeLost" }
  /** The surviving node process of the peer withdrew the address for its dead pulse (rule R12). */
  | { readonly type: "peerSaidGoodbye"; readonly epoch: number }
  /** The TLS link between the node processes: its end starts suspicion, its presence proves nothing. */
  | { readonly type: "peerLinkChanged"; readonly up: boolean }
  /** `active`: the peer has the address, takes it, or has not given it up yet (`claiming`, `active`, `releasing`). */
  | {
      readonly type: "peerRoleAnswered";
      readonly id: number;
      readonly active: boolean;
      readonly epoch: number;
    }
  | ArbiterRuled
  /** It held up its process more than is borne. `what`: a clause after its name; `forMs`: the quiet that ends the news. */
  | {
      readonly type: "pluginBlocked";
      readonly plugin: string;
      readonly what: string;
      readonly forMs: number;
    }
  | { readonly type: "operatorAsked"; readonly requestId: string; readonly request: OperatorRequest }
  /** The process was asked to end: hand over or release, then `stopped`. */
  | { readonly type: "stopAsked" }
  /** A changed config without an outage. */
  | { readonly type: "settingsChanged"; readonly settings: Settings };

export type Event = { readonly atMs: number } & Happening;
export type EventType = Event["type"];
