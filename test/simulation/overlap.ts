/**
 * G1: at most one node answers for the HA address. The fault table names the only cases in which two may, and this file
 * says them in code: while the way for beats between the nodes is severed in some direction (until it heals and one
 * beat), after a machine was paused (one beat after it goes on), and, under weather that eats or delays frames, for as
 * long as the claim frame needs to get through. A stall of pulse on top of these delays the beat, up to the lease's end.
 */

import { isExclusive } from "@understudy/core/internal/failover/arbiters";
import type { Side } from "@understudy/core/public";
import { otherSide } from "./network.js";
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
  const { primary } = world.settings;
  const exclusive = isExclusive(primary) && primary.onArbiterLost === "stepDown";
  const afterPause = watchPauses(world);
  const heardClaim: Record<Side, number> = { primary: 0, secondary: 0 };
  world.overlapExcused = () => schedule.nowMs <= excusedUntilMs;

  world.deliveries.push((to, beat) => {
    if (beat.claimToken !== undefined) heardClaim[to] = Math.max(heardClaim[to], beat.epoch);
  });
  world.checks.push(() => {
    const severed = sides.some((from) => network.severed(from)) || world.foreign;
    const paused = sides.some((side) => machines[side].powered && machines[side].clock.paused);
    const fair = network.fair();
    // A beat that should end an overlap is not sent by one who is stalled: then the stalled one's lease bounds it.
    const speechless = sides.some((side) => machines[side].stalled) && world.overlapExcused();
    if (severed || paused || !fair || speechless) {
      const interval = world.settings.primary.intervalMs;
      const delay = Math.max(...network.paths.map((path) => network.weatherOn(path).maxDelayMs));
      const beats = fair ? beatsOfGrace : beatsOfGraceInBadWeather;
      excusedUntilMs = Math.max(excusedUntilMs, schedule.nowMs + beats * (interval + 1) + delay + 1);
    }
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
