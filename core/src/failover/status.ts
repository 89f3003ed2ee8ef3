/**
 * The decision core in words: role and reason, the peer, what would happen if the peer died now, why failback waits.
 * Everything is derived from the state, so that status cannot say what the core does not think.
 */

import type { Role } from "../heartbeat/beat.js";
import { takeoverWithinMs } from "./asking.js";
import { clientLinkWorks } from "./client-side.js";
import type { NodeReport } from "./event.js";
import { ownHealth, ownScore, peerScore } from "./health.js";
import { type Direction, directionOf, pathDeadMs } from "./paths.js";
import { serves } from "./peer.js";
import { deadTimeMs, worstSilenceMs } from "./silence.js";
import type { Alarm, State } from "./state.js";

/** The part of status that the decision core knows; pulse adds sockets, protections and its own process. */
export interface Description {
  readonly atMs: number;
  readonly role: Role;
  readonly roleSinceMs: number;
  readonly epoch: number;
  readonly highestEpoch: number;
  readonly verified: boolean;
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
  readonly paths: readonly {
    readonly name: string;
    readonly class: string;
    readonly lastHeardMsAgo: number | undefined;
    readonly twoWay: boolean;
    /** Which directions carry beats. */
    readonly direction: Direction;
    /** The path's own interval, and how long a silence makes it count as lost. */
    readonly intervalMs: number;
    readonly deadAfterMs: number;
    readonly latencyMs: number | undefined;
  }[];
  readonly alarms: readonly Alarm[];
  readonly preference: string;
  readonly maintenance: boolean;
  readonly ifPeerDied: string;
  readonly failback: string | undefined;
}

export function describe(state: State, atMs: number): Description {
  const { beat, dead } = state.peer;
  return {
    atMs,
    role: state.role,
    roleSinceMs: state.roleSinceMs,
    epoch: state.epoch,
    highestEpoch: state.highestEpoch,
    verified: state.report?.verified ?? false,
    reason:
      state.wait === undefined ? state.reason : `it would take the address, and waits: ${state.wait.why}`,
    peer: {
      alive: beat !== undefined && !dead,
      role: dead ? undefined : beat?.role,
      epoch: beat?.epoch ?? 0,
      healthScore: peerScore(state),
      verified: beat?.verified ?? false,
      inSync: beat?.inSync ?? false,
      configEqual: beat === undefined ? undefined : beat.configDigest === state.settings.configDigest,
    },
    healthScore: ownScore(state),
    deadTimeMs: deadTimeMs(state),
    worstSilenceMs: worstSilenceMs(state),
    paths: state.paths.map((path) => ({
      name: path.name,
      class: path.class,
      lastHeardMsAgo: path.silenceMs === Infinity ? undefined : path.silenceMs,
      twoWay: directionOf(state, path) === "two-way",
      direction: directionOf(state, path),
      intervalMs: path.intervalMs,
      deadAfterMs: pathDeadMs(state, path),
      latencyMs: path.latencyMs,
    })),
    alarms: state.alarms,
    preference: describePreference(state),
    maintenance: state.intents.maintenance,
    ifPeerDied: ifPeerDied(state),
    failback: state.role === "active" ? state.failback.waiting : undefined,
  };
}

function describePreference(state: State): string {
  const { side } = state.intents.preference;
  return side === undefined ? "primary (config)" : `${side} (operator, until switchover --clear)`;
}

function ifPeerDied(state: State): string {
  if (state.role === "active") return aloneAsActive(state);
  if (state.wait !== undefined)
    return `Nothing would change: this node would take the address now, and waits: ${state.wait.why}.`;
  if (state.role === "maintenance") return "Nobody would serve: this node is in maintenance.";
  if (state.stopping) return "Nobody would serve: this node is stopping.";
  if (state.report?.database === "lost")
    return "Nobody would serve: this node's session database was lost and is not refilled.";
  if (!serves(state.peer.beat) || state.peer.dead) return waits(state, "nobody serves yet");
  if (!state.nodeUp) return "Nobody would serve until this node's node process is back.";
  if (!ownHealth(state).node)
    return "This node would take the address, but its node process does not answer.";
  if (!state.link.carrier) return "Nobody would serve: this node has no carrier on the client side.";
  if (!clientLinkWorks(state))
    return "Nobody would serve before this node hears somebody on the client side again: it is cut off there.";
  if (state.report?.verified !== true) return waits(state, "this node has not merged its sessions yet");
  const after = `within about ${Math.round(takeoverWithinMs(state))} ms${conditions(state)}`;
  return `This node would take over ${after}${withWhat(state.report)}.`;
}

/** Of what the services keep themselves nothing is known here, and nothing promised. */
function withWhat({ met, inSync }: NodeReport): string {
  if (met !== undefined) return "";
  return inSync
    ? ", with every acknowledged session"
    : ", but it may lack the newest sessions: it is not in sync";
}

/** What a takeover needs beside a verdict (rules R30, R32). */
function conditions({ settings, fenced }: State): string {
  const { arbiters, fences } = settings;
  const granters = arbiters.filter(({ exclusive }) => exclusive).map(({ name }) => name);
  const advisers = arbiters.filter(({ exclusive }) => !exclusive).map(({ name }) => name);
  const needed = [
    ...(granters.length > 0 ? [`${granters.join(" and ")} granting it`] : []),
    ...(advisers.length > 0 ? [`${advisers.join(" and ")} not denying it`] : []),
    ...(fences.length > 0 && fenced === undefined
      ? [`${fences.join(" or ")} confirming that the other node is off`]
      : []),
  ];
  return needed.length === 0 ? "" : `, subject to ${needed.join(" and ")}`;
}

function aloneAsActive(state: State): string {
  if (state.peer.beat === undefined || state.peer.dead)
    return "Nothing would change: the other node is already gone.";
  return "This node would go on serving, alone.";
}

function waits(state: State, why: string): string {
  const { aloneAfterMs } = state.settings;
  if (aloneAfterMs === null) return `Nobody would serve: ${why}, and aloneAfter is never.`;
  const stale = state.report?.met === undefined ? ", marked stale" : "";
  return `This node would serve after waiting alone for ${aloneAfterMs / 1000} s${stale}: ${why}.`;
}
