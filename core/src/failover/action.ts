/**
 * Everything the decision core can ask for. Actions are data, performed in the order given; those with an `id` come
 * back as `actionFinished` (or `peerRoleAnswered`), and a timeout comes back as `unknown`.
 */

import type { Health, Preference, Role } from "../heartbeat/beat.js";
import type { Intents } from "./event.js";

export type AlarmCode =
  | "ADDRESS_CONFLICT"
  | "ADDRESS_REFUSED"
  | "ADDRESS_TAMPERED"
  | "ARBITER_DENIES"
  | "ARBITER_LOST"
  | "BEATS_EATEN"
  | "CONFIG_DIFFERS"
  | "FENCE_FAILED"
  | "FOREIGN_BEATS"
  | "PATH_DEGRADED"
  | "PEER_DEAD"
  | "PLUGIN_BLOCKS"
  | "CLIENT_LINK_LOST"
  | "NODE_HUNG"
  | "FAILBACK_MANUAL"
  | "SERVING_STALE"
  | "STALLED";

/** The part of a beat that the decision core fills in; nonce, sequence, echo and token are the sender's. */
export interface BeatBody {
  readonly epoch: number;
  readonly role: Role;
  readonly health: Health;
  readonly verified: boolean;
  readonly inSync: boolean;
  readonly goodbye: boolean;
  readonly unwell: boolean;
  readonly preference: Preference;
  readonly configDigest: string;
  /** Answer at once on the path this travels (rule R13). */
  readonly asks: boolean;
  /** Sent at once because the other node asked on this path: its echo is a measure of the way there and back. */
  readonly answers: boolean;
  /** The paths on which the sender hears the other node, by their place in the config: bit 0 is the first. */
  readonly heardOn: number;
}

export type Action =
  /** Now, on the paths that are named. */
  | { readonly type: "sendBeat"; readonly body: BeatBody; readonly paths: readonly string[] }
  /** Prolong the kernel lease by `leaseMs`. */
  | { readonly type: "renewLease" }
  /** End the kernel lease now (synchronous in the backend). */
  | { readonly type: "dropLease" }
  /** Let node acknowledge until then (rule R21). */
  | { readonly type: "grantPermit"; readonly epoch: number; readonly untilMs: number }
  | { readonly type: "revokePermit" }
  /** The epochs whose claim frames shall end our lease (rule R5). */
  | { readonly type: "armClaims"; readonly epochs: readonly number[] }
  | { readonly type: "acquireAddress"; readonly id: number; readonly epoch: number }
  | { readonly type: "releaseAddress"; readonly id: number; readonly epoch: number }
  | { readonly type: "persistEpoch"; readonly id: number; readonly epoch: number }
  | { readonly type: "persistIntents"; readonly id: number; readonly intents: Intents }
  /** One round of announcements. */
  | { readonly type: "announce" }
  /** One round: a closed port of the peer on every IP path, the HA address, and known neighbours. */
  | { readonly type: "probe"; readonly round: number }
  /** Known neighbours only. */
  | { readonly type: "probeNeighbours" }
  /** Node serves with `epoch`; `stale` marks its answers (rule R24). Comes back when the services are promoted. */
  | { readonly type: "promote"; readonly id: number; readonly epoch: number; readonly stale: boolean }
  | { readonly type: "demote"; readonly id: number; readonly epoch: number }
  /** Freeze writes, compare vectors with the peer: `confirmed` when equal (rule R25). Ends itself after `freezeMs`. */
  | { readonly type: "freeze"; readonly id: number; readonly freezeMs: number }
  | { readonly type: "unfreeze" }
  /** Ask the peer over TLS whether it is active; answered by `peerRoleAnswered` or `actionFinished` unknown. */
  | { readonly type: "askPeerRole"; readonly id: number }
  /** Ask these whether this node may serve with `epoch`; each answers by `arbiterRuled`. One under way goes on. */
  | { readonly type: "askArbiters"; readonly epoch: number; readonly names: readonly string[] }
  /** This node does not serve with a grant of up to `epoch` any more, or will not; questions under way end. */
  | { readonly type: "releaseGrant"; readonly epoch: number }
  /** Fire it at the other node; comes back as `actionFinished` within two minutes (rule R32). */
  | { readonly type: "fence"; readonly id: number; readonly name: string }
  | { readonly type: "raiseAlarm"; readonly code: AlarmCode; readonly detail: string }
  | { readonly type: "clearAlarm"; readonly code: AlarmCode }
  /** One line of the timeline (G9). */
  | {
      readonly type: "record";
      readonly kind: string;
      readonly what: string;
      readonly rules: readonly string[];
      readonly details?: Readonly<Record<string, unknown>>;
    }
  /** Nothing is held any more after `stopAsked`: end the process. */
  | { readonly type: "stopped" }
  | {
      readonly type: "answerOperator";
      readonly requestId: string;
      readonly ok: boolean;
      readonly message: string;
    };

export type ActionType = Action["type"];
