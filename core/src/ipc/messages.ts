/**
 * What pulse and node say to each other over the unix socket `<run>/pulse.sock` (pulse listens, node connects): one
 * JSON object a line, UTF-8, at most 1 MiB. Frames of transports that run in node travel as base64.
 */

import type { AlarmCode } from "../failover/action.js";
import type { ArbiterRuled, NodeReport, OperatorRequest } from "../failover/event.js";
import type { Direction } from "../failover/paths.js";
import type { Role } from "../heartbeat/beat.js";
import type { Outcome, Protection, TimelineEntry } from "../plugin/contract.js";

export interface PathStatus {
  readonly name: string;
  readonly class: string;
  readonly description: string;
  readonly lastHeardMsAgo: number | undefined;
  readonly twoWay: boolean;
  /** `from-peer`: we hear the other node, it does not hear us; `to-peer`: the reverse, by what it says on other paths. */
  readonly direction: Direction;
  /** Between two routine beats on this path, milliseconds: longer than the profile's on a slow medium. */
  readonly intervalMs: number;
  /** After so long a silence the path counts as lost, milliseconds. */
  readonly deadAfterMs: number;
  /** Half the echo age at the median of the last 100 beats, milliseconds. */
  readonly latencyMs: number | undefined;
}

/** Everything status shows about the deciding half, sent when what one acts on has changed, and once a second. */
export interface PulseStatus {
  readonly atMs: number;
  readonly role: Role;
  /** Monotonic, as `atMs`. */
  readonly roleSinceMs: number;
  readonly epoch: number;
  readonly highestEpoch: number;
  readonly verified: boolean;
  /** Why the role is what it is, one sentence. */
  readonly reason: string;
  readonly peer: {
    readonly alive: boolean;
    readonly role: Role | undefined;
    readonly epoch: number;
    readonly healthScore: number;
    readonly verified: boolean;
    readonly inSync: boolean;
    readonly configEqual: boolean | undefined;
  };
  readonly healthScore: number;
  readonly deadTimeMs: number;
  readonly worstSilenceMs: number;
  readonly paths: readonly PathStatus[];
  /** One line an address backend: where the HA addresses are, who has agreed to it, what moves with them. */
  readonly address?: readonly string[];
  readonly protections: readonly Protection[];
  readonly alarms: readonly { readonly code: AlarmCode; readonly detail: string; readonly sinceMs: number }[];
  readonly preference: string;
  readonly maintenance: boolean;
  /** What would happen if the other node died now, one sentence. */
  readonly ifPeerDied: string;
  /** Why failback waits, one sentence; undefined when there is nothing to fail back. */
  readonly failback: string | undefined;
  /** Ids of the keys that the other node has signed beats with since it started (rule R29). */
  readonly peerKeys?: readonly number[];
  /** The pulse process itself. */
  readonly pid: number;
  readonly rssBytes: number;
  readonly cpuMs: number;
}

export type PulseToNode =
  | { readonly type: "hello"; readonly pid: number; readonly version: string }
  /**
   * Node answers each with `pong` from its main thread: a hung node is one that does not. Every 200 ms, or four times
   * within a shorter hang limit, for as long as pulse judges: while they come, the last status is as good as new.
   */
  | { readonly type: "ping"; readonly sequence: number }
  | { readonly type: "permit"; readonly epoch: number; readonly untilMs: number }
  | { readonly type: "revoke" }
  | { readonly type: "promote"; readonly id: number; readonly epoch: number; readonly stale: boolean }
  | { readonly type: "demote"; readonly id: number; readonly epoch: number }
  | { readonly type: "freeze"; readonly id: number; readonly freezeMs: number }
  | { readonly type: "unfreeze" }
  | { readonly type: "askPeerRole"; readonly id: number }
  | { readonly type: "askArbiters"; readonly epoch: number; readonly names: readonly string[] }
  | { readonly type: "releaseGrant"; readonly epoch: number }
  | { readonly type: "fence"; readonly id: number; readonly name: string }
  /** Made at `atMs`, monotonic: node sends none that is older than half a second. */
  | { readonly type: "sendFrame"; readonly path: string; readonly atMs: number; readonly frame: string }
  | { readonly type: "timeline"; readonly entry: TimelineEntry }
  | { readonly type: "status"; readonly status: PulseStatus }
  | {
      readonly type: "operatorAnswer";
      readonly requestId: string;
      readonly ok: boolean;
      readonly message: string;
    };

export type NodeToPulse =
  | { readonly type: "hello"; readonly pid: number; readonly version: string }
  | { readonly type: "pong"; readonly sequence: number }
  | { readonly type: "report"; readonly report: NodeReport }
  | { readonly type: "finished"; readonly id: number; readonly outcome: Outcome; readonly detail?: string }
  | { readonly type: "peerGoodbye"; readonly epoch: number }
  | { readonly type: "peerLink"; readonly up: boolean }
  | { readonly type: "peerRole"; readonly id: number; readonly active: boolean; readonly epoch: number }
  /** Times are monotonic, the same clock in both processes. */
  | ArbiterRuled
  /** It holds up node's main thread: see the event of the same name. */
  | {
      readonly type: "pluginBlocked";
      readonly plugin: string;
      readonly what: string;
      readonly forMs: number;
    }
  | { readonly type: "frame"; readonly path: string; readonly frame: string }
  | { readonly type: "pathDescription"; readonly path: string; readonly description: string }
  | { readonly type: "operator"; readonly requestId: string; readonly request: OperatorRequest }
  /** Config was reloaded: pulse reads the file again and checks it itself. */
  | { readonly type: "reload" }
  /** The key file changed (rule R29). */
  | { readonly type: "keysChanged" };
