/**
 * G6: a node that has lost its client side, and could notice, claims nothing. It could when it had heard neighbours and
 * the other node there, both fell silent in one moment with its plug, and it has been awake ever since.
 */

import type { Side } from "@understudy/core/public";
import type { Machine } from "./machine.js";
import { Violation } from "./violation.js";
import { sides, type World } from "./world.js";

/** Beats late, and a third of a second of neighbours that do not answer; and half as much again. */
const noticedMs = 600;

interface Watched {
  wasPlugged: boolean;
  sinceMs: number | undefined;
  life: number;
}

export function watchCutOff(world: World): void {
  const { network, machines, schedule } = world;
  const watched: Record<Side, Watched> = { primary: unwatched(), secondary: unwatched() };
  world.checks.push(() => {
    for (const side of sides) {
      const machine = machines[side];
      const known = watched[side];
      const hears = network.hears(side);
      if (hears || !awake(machine) || machine.lives !== known.life) known.sinceMs = undefined;
      if (known.wasPlugged && !hears && awake(machine) && heardBoth(machine)) {
        known.sinceMs = schedule.nowMs;
        known.life = machine.lives;
      }
      known.wasPlugged = network.plugged(side);
    }
  });
  world.observers.push(({ side, before, out }) => {
    if (before.role === "claiming" || out.state.role !== "claiming") return;
    const { sinceMs } = watched[side];
    if (sinceMs === undefined || schedule.nowMs - sinceMs < noticedMs) return;
    throw new Violation(
      "cut off",
      `${side} claims although it was cut off from the client side ${Math.round(schedule.nowMs - sinceMs)} ms ago: ${out.state.reason}`,
    );
  });
}

function unwatched(): Watched {
  return { wasPlugged: false, sinceMs: undefined, life: -1 };
}

function awake({ powered, running, stalled, clock }: Machine): boolean {
  return powered && running && !stalled && !clock.paused;
}

/** A neighbour within its probe's time, and the other node on a client path, where there is one. */
function heardBoth({ state }: Machine): boolean {
  if (state === undefined || state.link.neighbourSilenceMs > 1100) return false;
  const client = state.paths.filter((path) => path.class === "client");
  return client.every((path) => path.silenceMs <= 1.5 * path.intervalMs);
}
