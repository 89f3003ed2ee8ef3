/**
 * What arbiters and fences promise (rules R30 to R32), judged by what the granter, the plugs and the kernels know, not by
 * what a node believes.
 */

import { isExclusive } from "@understudy/core/internal/failover/arbiters";
import type { Side } from "@understudy/core/public";
import { otherSide } from "./network.js";
import { Violation } from "./violation.js";
import { sides, type World } from "./world.js";

export function watchProtection(world: World): void {
  const { settings } = world;
  if (isExclusive(settings.primary)) watchGrants(world);
  if (settings.primary.arbiters.some(({ name }) => name === "ping")) watchVetoes(world);
  if (settings.primary.fences.length > 0) watchFences(world);
}

/** Whether a machine is paused or was so within `holdMs`: what stood still with its clock may outlive its truth so long. */
export function watchPauses(world: World, holdMs: number): (only?: Side) => boolean {
  const pausedMs: Record<Side, number> = { primary: -Infinity, secondary: -Infinity };
  world.checks.push(() => {
    for (const side of sides) if (world.machines[side].clock.paused) pausedMs[side] = world.schedule.nowMs;
  });
  return (only) =>
    sides.some((side) => (only ?? side) === side && world.schedule.nowMs - pausedMs[side] <= holdMs);
}

/** R30: nobody claims what the granter has not granted; and with stepDown nobody answers beyond the grant. */
function watchGrants(world: World): void {
  const { onArbiterLost } = world.settings.primary;
  const excused = watchPauses(world, world.settings.primary.leaseMs + 1);
  world.observers.push(({ side, before, out }) => {
    if (before.role === "claiming" || out.state.role !== "claiming") return;
    if (!world.protectors.holds(side))
      throw new Violation("grant", `${side} claims epoch ${out.state.epoch} and has no grant`);
  });
  if (onArbiterLost === "keep") return;
  world.checks.push(() => {
    if (excused()) return;
    for (const side of world.answering())
      if (!world.protectors.holds(side)) throw new Violation("grant", `${side} answers beyond its grant`);
  });
}

/** An answer may be as old as the time between two questions, and one that is under way. */
const adviceHoldsMs = 1300;

/** R30: a ping that has failed for so long vetoes. */
function watchVetoes(world: World): void {
  const failsSinceMs: Record<Side, number | undefined> = { primary: undefined, secondary: undefined };
  world.checks.push(() => {
    for (const side of sides) {
      const { clock, running, stalled, node } = world.machines[side];
      const answers = running && !stalled && !clock.paused && node.up && !node.hung;
      if (!world.protectors.pingFails(side) || !answers) failsSinceMs[side] = undefined;
      else failsSinceMs[side] ??= world.schedule.nowMs;
    }
  });
  world.observers.push(({ side, before, out }) => {
    if (before.role === "claiming" || out.state.role !== "claiming") return;
    const sinceMs = failsSinceMs[side];
    if (sinceMs !== undefined && world.schedule.nowMs - sinceMs > adviceHoldsMs)
      throw new Violation("veto", `${side} claims although its ping has failed all the time`);
  });
}

/** A goodbye that was under way, and two that elect themselves by each other's last beat. */
const wordHoldsMs = 700;

/** R32: who claims finds the other node's kernel silent: switched off, or let go by its own word. Paused ones count. */
function watchFences(world: World): void {
  const answersSinceMs: Record<Side, number | undefined> = { primary: undefined, secondary: undefined };
  world.checks.push(() => {
    for (const side of sides) {
      const { powered, kernel, clock } = world.machines[side];
      if (!powered || !kernel.answers(clock.nowMs)) answersSinceMs[side] = undefined;
      else answersSinceMs[side] ??= world.schedule.nowMs;
    }
  });
  world.observers.push(({ side, before, out }) => {
    if (before.role === "claiming" || out.state.role !== "claiming") return;
    const sinceMs = answersSinceMs[otherSide(side)];
    if (sinceMs !== undefined && world.schedule.nowMs - sinceMs > wordHoldsMs)
      throw new Violation(
        "fence",
        `${side} claims from a node that nobody switched off: ${out.state.reason}`,
      );
  });
}
