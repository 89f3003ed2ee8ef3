/**
 * What must never happen, checked after everything that happens (safety). Each checker has its own name, stands for
 * rules of the design, and judges by what the simulator knows to be true, not by what a node believes.
 */

import type { Action } from "@understudy/core/internal/failover/action";
import type { Event } from "@understudy/core/internal/failover/event";
import type { State } from "@understudy/core/internal/failover/state";
import type { Side } from "@understudy/core/public";
import { watchCutOff } from "./cut-off.js";
import type { Machine, Observation } from "./machine.js";
import { otherSide } from "./network.js";
import { watchOverlap } from "./overlap.js";
import { watchProtection } from "./protection.js";
import { Violation } from "./violation.js";
import { sides, type World } from "./world.js";

export function attachSafety(world: World): void {
  watchOverlap(world);
  watchCutOff(world);
  watchEpochs(world);
  watchStalls(world);
  watchLease(world);
  watchGoodbyes(world);
  watchClaims(world);
  watchStrayAddress(world);
  watchPermits(world);
  watchFailback(world);
  watchOperator(world);
  watchProtection(world);
}

function claims({ before, out }: Observation): boolean {
  return before.role !== "claiming" && out.state.role === "claiming";
}

function each<T>(make: (side: Side) => T): Record<Side, T> {
  return { primary: make("primary"), secondary: make("secondary") };
}

/** R16: epochs have the right parity, never go back, and one that had an effect is never claimed again. */
function watchEpochs(world: World): void {
  const used = each(() => new Map<number, number>());
  const diskEpoch = each(() => 0);
  world.observers.push((observation) => {
    const { side, before, out } = observation;
    const { state } = out;
    if (state.highestEpoch < before.highestEpoch)
      throw new Violation("epochs", `${side}: highest epoch ${before.highestEpoch} -> ${state.highestEpoch}`);
    if (state.epoch === before.epoch || state.epoch === 0) return;
    const parity = side === "primary" ? 1 : 0;
    if (state.epoch % 2 !== parity) throw new Violation("epochs", `${side} claims epoch ${state.epoch}`);
    if (state.epoch <= before.highestEpoch)
      throw new Violation(
        "epochs",
        `${side} claims epoch ${state.epoch}, having seen ${before.highestEpoch}`,
      );
    const machine = world.machines[side];
    const life = used[side].get(state.epoch);
    if (life !== undefined && life !== machine.lives && !machine.disk.forgot)
      throw new Violation(
        "epochs",
        `${side} claims epoch ${state.epoch} again, after acknowledging under it`,
      );
  });
  world.actionObservers.push((side, action) => {
    if (action.type === "grantPermit") used[side].set(action.epoch, world.machines[side].lives);
  });
  world.checks.push(() => {
    for (const side of sides) {
      const { disk } = world.machines[side];
      if (disk.epoch < diskEpoch[side] && !disk.forgot)
        throw new Violation("epochs", `${side}: epoch on disk ${diskEpoch[side]} -> ${disk.epoch}`);
      diskEpoch[side] = disk.epoch;
    }
  });
}

/**
 * R10, G7: a death is declared only by a poll pass that found nothing to read, and only after the claimant itself has
 * been awake for the dead time since the last sign of life got to its machine.
 */
function watchStalls(world: World): void {
  const witnessedMs = each(() => 0);
  const lastPolledMs = each(() => 0);
  world.observers.push((observation) => {
    const { side, before, event, out } = observation;
    const { settings } = out.state;
    const machine = world.machines[side];
    if (event.type === "started") lastPolledMs[side] = event.atMs;
    if (event.type === "polled") {
      witnessedMs[side] += Math.min(event.atMs - lastPolledMs[side], 1.5 * settings.intervalMs);
      lastPolledMs[side] = event.atMs;
    }
    if (
      (event.type === "beatReceived" && !wasUnderWay(event, before)) ||
      event.type === "kernelAnswered" ||
      (event.type === "addressAnswered" && event.from === "peer")
    )
      witnessedMs[side] = 0;
    if (!claims(observation) || !out.state.reason.includes("dead")) return;
    if (event.type !== "polled") throw new Violation("stalls", `${side} declared a death on ${event.type}`);
    if (machine.unread > 0) throw new Violation("stalls", `${side} declared a death with frames unread`);
    if (witnessedMs[side] + 0.001 < settings.deadFloorMs)
      throw new Violation(
        "stalls",
        `${side} declared a death after ${witnessedMs[side].toFixed(1)} ms of silence that it was awake for`,
      );
  });
}

/** A slow path delivers what was sent before, or with, the last beat of a fast one that has been heard. */
function wasUnderWay(event: Extract<Event, { readonly type: "beatReceived" }>, before: State): boolean {
  const slow = before.paths.filter((path) => path.intervalMs > before.settings.intervalMs);
  if (!slow.some(({ name }) => name === event.path) || before.peer.beat?.nonce !== event.beat.nonce)
    return false;
  const fast = before.paths.filter((path) => !slow.includes(path));
  return event.beat.sequence <= Math.max(...fast.map(({ sequence }) => sequence)) + 2 * before.paths.length;
}

/** R1, G7: a lease that has lapsed is not renewed, by whoever slept through its end. */
function watchLease(world: World): void {
  const renewedMs = each((): number | undefined => undefined);
  world.observers.push(({ side, event }) => {
    if (event.type === "started") renewedMs[side] = undefined;
  });
  world.actionObservers.push((side, action) => {
    const { clock, settings } = world.machines[side];
    if (action.type === "acquireAddress" || action.type === "releaseAddress") renewedMs[side] = undefined;
    if (action.type !== "renewLease") return;
    const sinceMs = clock.nowMs - (renewedMs[side] ?? clock.nowMs);
    if (sinceMs >= settings.leaseMs)
      throw new Violation("lease", `${side} renewed a lease ${sinceMs.toFixed(1)} ms old`);
    renewedMs[side] = clock.nowMs;
  });
}

/** R12: a goodbye leaves only a machine whose kernel no longer has the address. */
function watchGoodbyes(world: World): void {
  world.actionObservers.push((side, action) => {
    if (action.type !== "sendBeat" || !action.body.goodbye) return;
    if (world.machines[side].kernel.held)
      throw new Violation("goodbye", `${side} said goodbye while its kernel had the address`);
  });
}

/** For how long the two have been joined by a path that carries everything, with both awake. */
const steadyMs = 1000;

/**
 * G6, R9: nobody claims from a peer that answers clients while beats pass both ways; and R24, R26: nobody claims who has
 * neither merged nor waited alone, or whom the operator holds back.
 */
function watchClaims(world: World): void {
  let steadySinceMs: number | undefined;
  world.checks.push(() => {
    const { network, machines, foreign } = world;
    const joined = network.paths.some(
      (path) => network.passes("primary", path) && network.passes("secondary", path),
    );
    const awake = sides.every((side) => {
      const { powered, running, stalled, clock } = machines[side];
      return powered && running && !stalled && !clock.paused;
    });
    if (!joined || !awake || foreign || !network.fair()) steadySinceMs = undefined;
    else steadySinceMs ??= world.schedule.nowMs;
  });
  const startedMs = each(() => 0);
  world.observers.push((observation) => {
    const { side, event, out } = observation;
    if (event.type === "started") startedMs[side] = world.schedule.nowMs;
    if (!claims(observation)) return;
    const { reason, servingStale } = out.state;
    const nowMs = world.schedule.nowMs;
    const machine = world.machines[side];
    if (
      steadySinceMs !== undefined &&
      nowMs - steadySinceMs > steadyMs &&
      world.answering().includes(otherSide(side))
    )
      throw new Violation(
        "needless claim",
        `${side} claims from a peer that answers and is heard: ${reason}`,
      );
    const alone = nowMs - startedMs[side] >= (out.state.settings.aloneAfterMs ?? Infinity) * 0.999;
    if (!truthOf(machine).verified && !(alone && servingStale))
      throw new Violation("unverified claim", `${side} claims without having merged: ${reason}`);
    if (machine.sessions?.report().lost === true)
      throw new Violation("unverified claim", `${side} claims with an empty database in place of a lost one`);
    if (machine.disk.intents.maintenance && !machine.disk.forgot)
      throw new Violation("operator", `${side} claims in maintenance: ${reason}`);
  });
}

/** What the node process could truthfully say now. */
function truthOf(machine: Machine): { readonly verified: boolean; readonly inSync: boolean } {
  const { node } = machine;
  return node.up ? node.report() : { verified: false, inSync: false };
}

/** R6, R12: no kernel has the address but that of a node that serves, takes it or gives it up. */
function watchStrayAddress(world: World): void {
  world.checks.push(() => {
    for (const side of sides) {
      const { kernel, state } = world.machines[side];
      if (!kernel.held || state === undefined) continue;
      if (state.role === "standby" || state.role === "joining" || state.role === "maintenance")
        throw new Violation("stray address", `${side} has the address in its kernel and is in ${state.role}`);
    }
  });
}

/** R21: a permit hangs on an epoch that is on disk and ends with the lease; two nodes never acknowledge at once. */
function watchPermits(world: World): void {
  world.actionObservers.push((side: Side, action: Action) => {
    if (action.type !== "grantPermit") return;
    const { disk, clock, settings } = world.machines[side];
    if (disk.epoch < action.epoch && !disk.forgot)
      throw new Violation(
        "permits",
        `${side} may acknowledge in epoch ${action.epoch}, on disk is ${disk.epoch}`,
      );
    if (action.untilMs > clock.nowMs + settings.leaseMs)
      throw new Violation("permits", `${side} may acknowledge for longer than its lease`);
  });
  world.checks.push(() => {
    const { primary, secondary } = world.machines;
    const one = primary.clock.paused ? undefined : primary.node.permitted();
    const other = secondary.clock.paused ? undefined : secondary.node.permitted();
    if (one === undefined || other === undefined) return;
    // With a stream between them the older epoch's changes are refused, so only the newer acknowledges (rule R20);
    // without one the two are apart, and what each acknowledges is merged (G5).
    const apart = !primary.node.linked || !secondary.node.linked;
    if (!apart && one === other) throw new Violation("permits", `both may acknowledge in epoch ${one}`);
    const older = one < other ? primary : secondary;
    if (older.node.mayGoSolo() && !world.overlapExcused())
      throw new Violation("permits", `${older.side} may acknowledge alone, deposed by a newer epoch`);
  });
}

/** G4, R25: service goes back by itself only to a node that has everything, found so while writes were frozen. */
function watchFailback(world: World): void {
  world.observers.push(({ side, before, out }) => {
    const { state } = out;
    const kind = before.handover?.kind;
    if (kind !== "failback" && kind !== "switchover") return;
    const peer = otherSide(side);
    const was = before.handover?.phase;
    const is = state.handover?.phase;
    if (was === "freezing" && is === "demoting") {
      if (!truthOf(world.machines[peer]).inSync || !truthOf(world.machines[side]).inSync)
        throw new Violation(
          "failback",
          `${side} hands over (${kind}) although the databases are not in sync`,
        );
    } else if (was === "freezing" && is === "releasing") {
      throw new Violation("failback", `${side} hands over (${kind}) without having frozen its writes`);
    } else if (was === "demoting" && is === "releasing") {
      const lacking = world.clients?.lackingOn(peer);
      if (lacking !== undefined)
        throw new Violation("failback", `${side} hands over (${kind}) to a node that lacks ${lacking}`);
    }
  });
}

/** R26: service moves by itself only towards the side that is preferred. */
function watchOperator(world: World): void {
  world.observers.push(({ side, before, out }) => {
    const { handover, intents } = out.state;
    if (before.handover !== undefined || handover === undefined) return;
    if (handover.kind !== "failback" && handover.kind !== "switchover") return;
    if ((intents.preference.side ?? "primary") === side)
      throw new Violation("operator", `${side} is preferred and hands over (${handover.kind})`);
  });
}
