/**
 * G1: at most one node answers for the HA address. The fault table names the only cases in which two may, and this file
 * says them in code: while the way for beats between the nodes is severed in some direction (until it heals and one
 * beat), after a machine was paused (one beat after it goes on), and, under weather that eats or delays frames, for as
 * long as the claim frame needs to get through. A stall of pulse on top of these delays the beat, up to the lease's end.
 */

import { isExclusive } from "@understudy/core/internal/failover/arbiters";
import type { Side } from "@understudy/core/public";
import { fairWeather, otherSide, type SimulatedPath } from "./network.js";
import { watchPauses } from "./protection.js";
import { Violation } from "./violation.js";
import { sides, type World } from "./world.js";

/** One beat in fair weather: the interval, the way, and a poll. */
const beatsOfGrace = 1;
/** In bad weather a claim frame may be lost this often before something else must be wrong. */
const beatsOfGraceInBadWeather = 12;

export function watchOverlap(world: World): void {
  const { network, machines, schedule } = world;
  let excusedUntilMs = Number.NEGATIVE_INFINITY;
  const heardClaim: Record<Side, number> = { primary: 0, secondary: 0 };
  world.overlapExcused = () => schedule.nowMs <= excusedUntilMs;
  const ways = watchWays(world);
  const { primary } = world.settings;
  const exclusive = isExclusive(primary) && primary.onArbiterLost === "stepDown";
  const afterPause = watchPauses(world, world.settings.primary.leaseMs + 1);

  world.deliveries.push((to, beat) => {
    if (beat.claimToken !== undefined) heardClaim[to] = Math.max(heardClaim[to], beat.epoch);
  });
  world.checks.push(() => {
    const paused = sides.some((side) => machines[side].powered && machines[side].clock.paused);
    // A beat that should end an overlap is not sent by one who is stalled: then the stalled one's lease bounds it.
    const speechless = sides.some((side) => machines[side].stalled) && world.overlapExcused();
    const disturbed = paused || !network.fair() || speechless;
    excusedUntilMs = Math.max(excusedUntilMs, ways.beatArrivesMs(disturbed));
    if (world.answering().length < 2) return;
    // With an exclusive arbiter nothing else excuses (the fault table's last column).
    if (exclusive ? !afterPause() : !world.overlapExcused())
      throw new Violation("one answers", "both nodes answer for the HA address");
    for (const side of sides) {
      const { state, kernel, stalled } = machines[side];
      if (state === undefined || heardClaim[side] <= state.epoch) continue;
      // The kernel knows the next few claims by heart (rule R5); beyond those pulse must be awake to obey.
      if (stalled && !kernel.knowsClaim(heardClaim[side])) continue;
      throw new Violation(
        "one answers",
        `${side} answers in epoch ${state.epoch} although ${otherSide(side)}'s claim ${heardClaim[side]} has arrived`,
      );
    }
  });
}

interface Ways {
  /** By when a beat of either side has come to the other: counted from when its way opened, or from now on. */
  beatArrivesMs(fromNow: boolean): number;
}

/** A slow path is open as soon as it is mended, and its next beat may be an interval away. */
function watchWays(world: World): Ways {
  const { network, schedule, settings } = world;
  const openSinceMs = new Map<string, number>();
  const graceMs = (path: SimulatedPath): number => {
    const weather = network.weatherOn(path);
    const bad = weather !== fairWeather;
    const beats = network.fair() ? beatsOfGrace : beatsOfGraceInBadWeather;
    const intervalMs = Math.max(settings.primary.intervalMs, path.beatIntervalMs ?? 0);
    const underWayMs = 2 * (path.frameMs ?? 0) + (path.delayMs?.[1] ?? 0) + (bad ? weather.maxDelayMs : 0);
    return beats * (intervalMs + 1) + underWayMs + 1;
  };
  const arrivesMs = (from: Side, fromNow: boolean): number => {
    let soonestMs = Infinity;
    for (const path of network.paths) {
      const key = `${from} ${path.name}`;
      const open = network.passes(from, path) && !network.eaten.has(from) && !world.foreign;
      if (!open) {
        openSinceMs.delete(key);
        continue;
      }
      const sinceMs = openSinceMs.get(key) ?? schedule.nowMs;
      openSinceMs.set(key, sinceMs);
      soonestMs = Math.min(soonestMs, (fromNow ? schedule.nowMs : sinceMs) + graceMs(path));
    }
    // No way at all: until one opens.
    return soonestMs === Infinity ? schedule.nowMs : soonestMs;
  };
  return {
    beatArrivesMs: (fromNow) => Math.max(...sides.map((from) => arrivesMs(from, fromNow))),
  };
}
