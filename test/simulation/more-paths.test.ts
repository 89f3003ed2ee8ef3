/**
 * G6: more paths make the pair strictly safer. The same faults of the clients' network, and losses of a whole machine,
 * strike pairs that differ in one more path alone; what clients feel is added up over all of them.
 */

import assert from "node:assert/strict";
import { test } from "node:test";
import { heal, scheduleFaults } from "./faults.js";
import { measureAnswers } from "./measure-answers.js";
import type { SimulatedPath } from "./network.js";
import { type Fault, makePlan, mqtt, serial9600, udp } from "./plan.js";
import { attachSafety } from "./safety.js";
import { makeWorld } from "./world.js";

const seeds = 24;
const kinds = ["cut", "halfPlug", "unplug", "carrier", "classLost", "neighbours", "powerLoss"] as const;
const cable: SimulatedPath = { name: "cable", class: "private", ip: true };

/** Of the clients' network alone: what is more than one path is left in peace. */
function onClientSide(fault: Fault): Fault {
  if (fault.kind === "cut") return { ...fault, path: udp.name };
  return fault.kind === "classLost" ? { ...fault, pathClass: "client" } : fault;
}

function play(seed: number, paths: readonly SimulatedPath[]) {
  const plan = makePlan(seed, kinds);
  const world = makeWorld({ seed, paths, settings: plan.settings, clocks: plan.clocks });
  attachSafety(world);
  const measured = measureAnswers(world);
  scheduleFaults(world, { ...plan, paths, faults: plan.faults.map(onClientSide) }, () => {});
  world.run(plan.healMs);
  heal(world);
  world.run(plan.healMs + 5000);
  return measured;
}

test("G6: with one path more two never answer, and nobody answers for hardly longer", (context) => {
  const total = (paths: readonly SimulatedPath[]) => {
    const sum = { outageMs: 0, overlapMs: 0 };
    for (let seed = 1; seed <= seeds; seed += 1) {
      const { outageMs, overlapMs } = play(seed, paths);
      sum.outageMs += outageMs;
      sum.overlapMs += overlapMs;
    }
    context.diagnostic(
      `${paths.map(({ name }) => name).join(" and ")}: nobody for ${Math.round(sum.outageMs)} ms, two for ${Math.round(sum.overlapMs)} ms`,
    );
    return sum;
  };
  const one = total([udp]);
  assert.ok(one.overlapMs > 100, "a single path lets these faults split the pair");
  for (const more of [cable, serial9600, mqtt]) {
    const two = total([udp, more]);
    assert.equal(two.overlapMs, 0, `with ${more.name} too`);
    // A slow path is waited for: some 200 ms of a takeover, now and then.
    assert.ok(two.outageMs <= 1.15 * one.outageMs, `with ${more.name} too: ${Math.round(two.outageMs)} ms`);
  }
});
