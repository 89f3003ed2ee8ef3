/** Which agent a new session goes to: the one with the fewest running sessions per weight, of equals the first. */

import type { Agent } from "./options.js";

export interface Placement {
  /**
   * Chooses, and counts the choice as a session until `settle` is called: with true when a session was made there, with
   * false when none was. Undefined when there are no agents.
   */
  choose(): { readonly agent: string; settle(made: boolean): void } | undefined;
  has(agent: string): boolean;
}

/** The counts may lag by so long, so a session just made is counted by us meanwhile. */
const countsLagMs = 1000;

export function placement(
  agents: readonly Agent[],
  counts: () => ReadonlyMap<string, number>,
  nowMs: () => number,
): Placement {
  /** By agent: creations under way, and those that the counts may not have yet. */
  const unseen = new Map<string, number>();
  /** When those made are taken to be in the counts, oldest first. */
  const made: { readonly agent: string; readonly untilMs: number }[] = [];
  let forgotten = 0;

  const add = (agent: string, change: number) => unseen.set(agent, (unseen.get(agent) ?? 0) + change);

  function forget(now: number): void {
    for (
      let oldest = made[forgotten];
      oldest !== undefined && oldest.untilMs <= now;
      oldest = made[forgotten]
    ) {
      add(oldest.agent, -1);
      forgotten += 1;
    }
    if (forgotten < 1000) return;
    made.splice(0, forgotten);
    forgotten = 0;
  }

  function leastLoaded(): string | undefined {
    const counted = counts();
    let best: { readonly name: string; readonly load: number } | undefined;
    for (const { name, weight } of agents) {
      const load = ((counted.get(name) ?? 0) + (unseen.get(name) ?? 0) + 1) / weight;
      if (best === undefined || load < best.load) best = { name, load };
    }
    return best?.name;
  }

  return {
    has: (wanted) => agents.some(({ name }) => name === wanted),
    choose() {
      forget(nowMs());
      const agent = leastLoaded();
      if (agent === undefined) return undefined;
      add(agent, 1);
      let settled = false;
      return {
        agent,
        settle(wasMade) {
          if (settled) return;
          settled = true;
          if (wasMade) made.push({ agent, untilMs: nowMs() + countsLagMs });
          else add(agent, -1);
        },
      };
    },
  };
}
