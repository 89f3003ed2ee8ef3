/**
 * A pair whose only heartbeat path is a serial line at 9600 baud, at every phase of its slow rhythm: who serves after a
 * start, and how soon a loss of power is claimed (rules R9, R13, R15, promise G1). Each phase is a world of its own.
 */

import assert from "node:assert/strict";
import { test } from "node:test";
import { serial9600 } from "./plan.js";
import { makeWorld, type World } from "./world.js";

/** As a person has it who has nothing else: the line stands for the clients' network, or failback would never come. */
const line = { ...serial9600, class: "client" } as const;
const failback = {
  mode: "auto",
  holdMs: 1000,
  maxHoldMs: 1000,
  manualAfterLosses: 1000,
  freezeMs: 50,
} as const;
const { beatIntervalMs = 0, frameMs = 0 } = serial9600;
/** Two beats and a half after the last one: what was on its way and what waited behind it may still come here. */
const claimedWithinMs = 2.5 * beatIntervalMs + 2 * frameMs + 10;

function lonelyPair(): World {
  return makeWorld({ seed: 1, paths: [line], settings: { failback, reclaimHoldMs: 1000 } });
}

const claims = (world: World) => world.trace.filter(({ what }) => what.includes("-> claiming"));
const both = (world: World) => world.trace.filter(({ what }) => what === "primary and secondary answers");
const told = (world: World) =>
  world.trace.map(({ atMs, who, what }) => `${atMs.toFixed(1)} ${who} ${what}`).join("\n");

function phases(fromMs: number, toMs: number, stepMs: number): readonly number[] {
  return Array.from({ length: Math.ceil((toMs - fromMs) / stepMs) }, (_, index) => fromMs + index * stepMs);
}

/** The node process of one side comes up last, and its beats say so later than all that follows. */
for (const last of ["primary", "secondary"] as const) {
  test(`G1: one claims at a start, whenever the node process of the ${last} is there`, () => {
    for (const pulseMs of [0, 41, 97]) {
      for (const nodeMs of phases(250, 400, 7)) {
        const world = lonelyPair();
        const { primary, secondary } = world.machines;
        primary.boot();
        world.schedule.after(pulseMs, () => secondary.boot());
        world.run(pulseMs + 1);
        world.machines[last].killNode(false);
        world.schedule.after(nodeMs, () => world.machines[last].startNode());
        world.run(900);
        assert.equal(claims(world).length, 1, told(world));
        assert.equal(both(world).length, 0, told(world));
      }
    }
  });
}

test("R9 R13: a loss of power is claimed in time, at every phase of the line's rhythm after a start", () => {
  for (const lostMs of phases(600, 1000, 9)) assertClaimed(lonelyPair(), lostMs);
});

test("R9 R13: so it is right after the return of the primary", () => {
  for (const lostMs of phases(0, 300, 9)) {
    const world = lonelyPair();
    bootBoth(world);
    world.run(1000);
    world.machines.primary.losePower();
    world.run(1000);
    world.machines.primary.boot();
    settle(world);
    assertClaimed(world, lostMs);
  }
});

function bootBoth(world: World): void {
  for (const side of ["primary", "secondary"] as const) world.machines[side].boot();
}

/** Until the primary is active and the other node knows it. */
function settle(world: World): void {
  for (let tries = 0; tries < 10_000; tries += 1) {
    const { primary, secondary } = world.machines;
    if (primary.state?.role === "active" && secondary.state?.peer.beat?.role === "active") return;
    world.run(1);
  }
  assert.fail(`the primary never serves\n${told(world)}`);
}

function assertClaimed(world: World, lostMs: number): void {
  const { primary, secondary } = world.machines;
  if (!primary.powered) bootBoth(world);
  world.run(lostMs);
  const before = claims(world).length;
  primary.losePower();
  world.run(claimedWithinMs);
  assert.equal(claims(world).length, before + 1, told(world));
  world.run(50);
  assert.equal(secondary.state?.role, "active", told(world));
}
