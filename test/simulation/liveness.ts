/**
 * What must come about once everything works again (liveness): one active node, the preferred one unless something that
 * status names holds it back, no alarm without a reason, both nodes of one mind, and peace.
 */

import { describe } from "@understudy/core/internal/failover/status";
import type { Side } from "@understudy/core/public";
import { otherSide } from "./network.js";
import { Violation } from "./violation.js";
import { sides, type World } from "./world.js";

/** Alone, both apart, holds doubled after losses, the hold after a deposition: all of it, one after the other. */
export function settleLimitMs(world: World): number {
  const { aloneAfterMs, failback, reclaimHoldMs } = world.settings.primary;
  return 1.5 * (aloneAfterMs ?? 0) + 4 * failback.holdMs + reclaimHoldMs + 12_000;
}

const peaceMs = 2000;
/** Digests are compared every two seconds here, and a difference is mended. */
const restMs = 2500;
/** A first claim, a move to the preferred node, and one that failed in between. */
const movesAllowed = 4;

export function checkLiveness(world: World): void {
  const { schedule } = world;
  let claims = 0;
  world.observers.push(({ before, out }) => {
    if (before.role !== "claiming" && out.state.role === "claiming") claims += 1;
  });
  const untilMs = schedule.nowMs + settleLimitMs(world);
  // What was under way when everything became well may still end.
  world.run(500);
  let unmet = unmetWish(world);
  while ((unmet !== undefined || world.protectors.underWay > 0) && schedule.nowMs < untilMs) {
    world.run(200);
    unmet = unmetWish(world);
  }
  if (unmet !== undefined) throw new Violation("settles", unmet);
  const before = claims;
  world.run(peaceMs);
  if (claims > before)
    throw new Violation("peace", "the roles change although everything is well and settled");
  if (claims > movesAllowed) throw new Violation("peace", `${claims} claims since everything was well`);
  world.clients?.stop();
  world.run(restMs);
  const later = unmetWish(world);
  if (later !== undefined) throw new Violation("peace", `it had settled, and then: ${later}`);
  if (active(world).length === 1) world.clients?.checkAtRest();
}

function unmetWish(world: World): string | undefined {
  const out = sides.filter((side) => world.machines[side].state?.intents.maintenance ?? false);
  const serves = active(world);
  const able = sides.length - out.length;
  if (serves.length !== Math.min(1, able))
    return `active: ${serves.join(" and ") || "nobody"}; ${rolesOf(world)}`;
  const [serving] = serves;
  if (serving === undefined) return undefined;
  if (world.answering().join() !== serving)
    return `${serving} is active, ${world.answering().join() || "nobody"} answers`;
  if (world.machines[serving].node.permitted() === undefined)
    return `${serving} is active and acknowledges nothing`;
  const standby = world.machines[otherSide(serving)];
  if (!standby.node.report().inSync)
    return `${otherSide(serving)} is not in sync: ${standby.sessions?.replica?.status(standby.clock.nowMs).waitingFor}`;
  return wrongPlace(world, serving) ?? ofTwoMinds(world) ?? needlessAlarm(world);
}

function active(world: World): readonly Side[] {
  return sides.filter((side) => world.machines[side].state?.role === "active");
}

function rolesOf(world: World): string {
  return sides
    .map((side) => {
      const { state } = world.machines[side];
      return state === undefined ? `${side} does not run` : `${side} is ${state.role}: ${state.reason}`;
    })
    .join("; ");
}

function ofTwoMinds(world: World): string | undefined {
  const [one, other] = sides.map((side) => world.machines[side].state?.intents.preference);
  if (one?.side === other?.side) return undefined;
  return `the nodes disagree on the preference: ${one?.side} (${one?.version}) and ${other?.side} (${other?.version})`;
}

/** The service is where it is wanted, or status says for good reason why it is not. */
function wrongPlace(world: World, serving: Side): string | undefined {
  const { state, clock } = world.machines[serving];
  if (state === undefined) return "the active node does not run";
  const preferred = state.intents.preference.side ?? "primary";
  if (preferred === serving) return undefined;
  const { failback } = describe(state, clock.nowMs);
  if (failback === undefined) return `${preferred} should serve, and status does not say why it does not`;
  const kept =
    world.machines[otherSide(serving)].state?.intents.maintenance === true ||
    state.settings.failback.mode === "manual" ||
    state.failback.lossesMs.length >= state.settings.failback.manualAfterLosses;
  return kept ? undefined : `${preferred} should serve; status says: ${failback}`;
}

function needlessAlarm(world: World): string | undefined {
  for (const side of sides) {
    const { state } = world.machines[side];
    for (const { code, detail } of state?.alarms ?? []) {
      if (code === "FAILBACK_MANUAL" && state?.role === "active") continue;
      return `${side} still raises ${code}: ${detail}`;
    }
  }
  return undefined;
}
