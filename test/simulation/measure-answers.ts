/** For how long nobody, and for how long both nodes answered: the two figures that clients feel. */

import type { World } from "./world.js";

/** Adds up for how long nobody, and for how long both answer. */
export function measureAnswers(world: World): { readonly outageMs: number; readonly overlapMs: number } {
  const measured = { outageMs: 0, overlapMs: 0 };
  let sinceMs = world.schedule.nowMs;
  let count = world.answering().length;
  world.checks.push(() => {
    const nowMs = world.schedule.nowMs;
    if (count === 0) measured.outageMs += nowMs - sinceMs;
    if (count === 2) measured.overlapMs += nowMs - sinceMs;
    sinceMs = nowMs;
    count = world.answering().length;
  });
  return measured;
}
