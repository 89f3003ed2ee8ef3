/**
 * The first column of the design's fault table, row by row, in simulated time: one fault strikes a settled pair at any
 * moment of its rhythm, in both profiles and every wiring it applies to. The bounds are the table's.
 */

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Settings } from "@understudy/core/internal/failover/settings";
import { measureAnswers } from "./measure-answers.js";
import type { SimulatedPath } from "./network.js";
import { wirings } from "./plan.js";
import { attachSafety } from "./safety.js";
import { makeWorld, sides, type World } from "./world.js";

interface Row {
  readonly fault: string;
  strike(world: World): void;
  /** Simulated milliseconds later: what heals, if anything. */
  readonly heal?: { readonly afterMs: number; heal(world: World): void };
  readonly wirings?: (paths: readonly SimulatedPath[]) => boolean;
  /** For how long clients may go unanswered, in all. */
  outageMs(settings: Settings, paths: readonly SimulatedPath[]): number;
  /** For how long two may answer, in all; undefined: until it heals and one beat. */
  readonly overlapMs?: (settings: Settings) => number;
  /** Who serves at the end; undefined: either. */
  readonly serves?: "primary" | "secondary";
}

/** What a takeover costs beside the waiting: the address, and a poll late by a little. */
const handMs = 10;
const oneBeat = ({ intervalMs }: Settings) => intervalMs + 2;
const none = () => 0;
/** A slow line is waited for until its beat is late, its last frame having been under way; a broker until it would have answered. */
const waitedForMs = ({ intervalMs }: Settings, paths: readonly SimulatedPath[]) =>
  Math.max(
    0,
    ...paths.map(({ frameMs, beatIntervalMs = 0, delayMs }) => {
      if (frameMs !== undefined) return frameMs + 1.5 * beatIntervalMs;
      return delayMs === undefined ? 0 : 4 * delayMs[1] + 3 * intervalMs;
    }),
  );
const afterDeath = (settings: Settings, paths: readonly SimulatedPath[]) =>
  Math.max(settings.deadFloorMs, waitedForMs(settings, paths)) + handMs;
const several = (paths: readonly SimulatedPath[]) => paths.length > 1;
const alone = (paths: readonly SimulatedPath[]) => paths.length === 1;

const rows: readonly Row[] = [
  {
    fault: "the active node loses power",
    strike: ({ machines }) => machines.primary.losePower(),
    outageMs: afterDeath,
    serves: "secondary",
  },
  {
    fault: "pulse is killed",
    strike: ({ machines }) => machines.primary.killPulse(false),
    outageMs: () => 40,
    serves: "secondary",
  },
  {
    fault: "pulse and node are killed",
    strike: ({ machines }) => {
      machines.primary.killPulse(false);
      machines.primary.killNode(false);
    },
    outageMs: () => 40,
    serves: "secondary",
  },
  {
    fault: "pulse hangs",
    strike: ({ machines }) => machines.primary.stall(),
    outageMs: () => 20,
    serves: "secondary",
  },
  {
    fault: "pulse hangs and goes on",
    strike: ({ machines }) => machines.primary.stall(),
    heal: { afterMs: 2000, heal: ({ machines }) => machines.primary.unstall() },
    outageMs: () => 20,
    serves: "secondary",
  },
  {
    fault: "the node process is killed",
    strike: ({ machines }) => machines.primary.killNode(false),
    outageMs: () => 20,
    serves: "secondary",
  },
  {
    fault: "the node process hangs",
    strike: ({ machines }) => machines.primary.node.hang(),
    outageMs: () => 20,
    serves: "secondary",
  },
  {
    fault: "the machine is paused and resumed",
    strike: ({ machines }) => machines.primary.pause(),
    heal: { afterMs: 2000, heal: ({ machines }) => machines.primary.resume(false) },
    outageMs: afterDeath,
    overlapMs: oneBeat,
    serves: "secondary",
  },
  {
    fault: "the active node loses the carrier",
    strike: ({ network, machines }) => {
      network.unplug("primary");
      machines.primary.setCarrier(false);
    },
    outageMs: afterDeath,
    serves: "secondary",
  },
  {
    fault: "the active node loses the client side, its carrier stays",
    strike: ({ network }) => network.unplug("primary"),
    // Neighbours that fall silent for 300 ms are the proof, where a private path is left to hand over on. What the other
    // node says of its own client side must be newer than that, and a slow line takes its time for that as well.
    outageMs: (settings, paths) => afterDeath(settings, paths) + waitedForMs(settings, paths) + 490,
    serves: "secondary",
  },
  {
    fault: "one path of several is lost",
    strike: ({ network }) => {
      for (const side of sides) network.cut(side, network.paths[0]?.name ?? "");
    },
    wirings: several,
    outageMs: none,
    serves: "primary",
  },
  ...sides.map(
    (from): Row => ({
      fault: `one path of several carries nothing from the ${from}`,
      strike: ({ network }) => network.cut(from, network.paths[0]?.name ?? ""),
      wirings: several,
      outageMs: none,
      serves: "primary",
    }),
  ),
  {
    fault:
      "only the second path is left in both directions, and it is lost too for a moment shorter than the dead time",
    strike: ({ network }) => {
      for (const side of sides) network.cut(side, network.paths[1]?.name ?? "");
    },
    heal: { afterMs: 60, heal: ({ network }) => network.healAll() },
    wirings: several,
    outageMs: none,
    serves: "primary",
  },
  {
    fault: "the only path carries nothing from the active node",
    strike: ({ network }) => network.cut("primary", "all"),
    wirings: alone,
    outageMs: afterDeath,
    // The claim frame goes the way that is left.
    overlapMs: oneBeat,
    serves: "secondary",
  },
  {
    fault: "the only path carries nothing to the active node",
    strike: ({ network }) => network.cut("secondary", "all"),
    wirings: alone,
    outageMs: none,
    serves: "primary",
  },
  {
    fault: "every path is lost while clients reach both, and heals",
    strike: ({ network }) => {
      for (const side of sides) network.cut(side, "all");
    },
    heal: { afterMs: 2000, heal: ({ network }) => network.healAll() },
    outageMs: none,
    overlapMs: (settings) => 2000 + oneBeat(settings),
    serves: "secondary",
  },
  {
    fault: "the disk of the active node is full",
    strike: ({ machines }) => {
      machines.primary.disk.failing = true;
      machines.primary.node.store = false;
    },
    outageMs: () => 20,
    serves: "secondary",
  },
  {
    fault: "the disk of the standby is full",
    strike: ({ machines }) => {
      machines.secondary.disk.failing = true;
      machines.secondary.node.store = false;
    },
    outageMs: none,
    serves: "primary",
  },
  {
    fault: "something eats the beats of the active node",
    strike: ({ network }) => network.eaten.add("primary"),
    outageMs: none,
    serves: "primary",
  },
  {
    fault: "every third machine falls silent",
    strike: (world) => {
      world.neighboursSilent = true;
    },
    outageMs: none,
    serves: "primary",
  },
  {
    fault: "the standby loses power",
    strike: ({ machines }) => machines.secondary.losePower(),
    outageMs: none,
    serves: "primary",
  },
  {
    fault: "pulse of the standby stalls for longer than the dead time",
    strike: ({ machines }) => machines.secondary.stall(),
    heal: { afterMs: 700, heal: ({ machines }) => machines.secondary.unstall() },
    outageMs: none,
    serves: "primary",
  },
];

const profiles: readonly (readonly [string, Partial<Settings>])[] = [
  ["standard", {}],
  ["fast", { intervalMs: 5, deadFloorMs: 32 }],
];
/** Moments of the rhythm at which the fault strikes. */
const phases = 3;

function settledPair(paths: readonly SimulatedPath[], profile: Partial<Settings>, phase: number): World {
  const world = makeWorld({
    seed: phase + 1,
    paths,
    settings: profile,
    clocks: {
      primary: { offsetMs: 1000 * phase, driftPpm: 100 },
      secondary: { offsetMs: 77_000, driftPpm: -100 },
    },
  });
  attachSafety(world);
  world.machines.primary.boot();
  world.run(7 * phase);
  world.machines.secondary.boot();
  world.run(1500 + 3.7 * phase);
  assert.deepEqual(world.answering(), ["primary"]);
  return world;
}

for (const row of rows) {
  test(row.fault, () => {
    for (const [profile, overrides] of profiles) {
      for (const paths of wirings.filter(row.wirings ?? (() => true))) {
        for (let phase = 0; phase < phases; phase += 1) {
          const world = settledPair(paths, overrides, phase);
          const settings = world.settings.primary;
          const measured = measureAnswers(world);
          row.strike(world);
          if (row.heal !== undefined) {
            world.run(row.heal.afterMs);
            row.heal.heal(world);
          }
          world.run(1500);
          const where = `${profile}, ${paths.map(({ name }) => name).join(" and ")}, phase ${phase}`;
          assert.ok(
            measured.outageMs <= row.outageMs(settings, paths),
            `${where}: nobody answered for ${measured.outageMs.toFixed(1)} ms`,
          );
          assert.ok(
            measured.overlapMs <= (row.overlapMs ?? none)(settings),
            `${where}: both answered for ${measured.overlapMs.toFixed(1)} ms`,
          );
          assert.deepEqual(world.answering(), [row.serves], where);
        }
      }
    }
  });
}
