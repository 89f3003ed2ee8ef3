/**
 * What is to be read when a loss of power was not claimed in time, or was none of the node that served: both nodes'
 * timelines in one, and what the survivor says of itself. Taken before the power returns, for it does not come twice.
 */

import { type Pair, sides } from "../lab/pair.js";

/** Some minutes of a pair that nobody moves. */
const entriesShown = 80;

interface Entry {
  readonly at: string;
  readonly node: string;
  readonly kind: string;
  readonly what: string;
  readonly details?: unknown;
}

/** `lostMs`: by the wall clock, when the power went. */
export async function explain(pair: Pair, what: string, lostMs: number): Promise<void> {
  const entries = sides.flatMap((side) => timelineOf(pair.node(side).log("pulse")));
  const lines = entries
    .sort((a, b) => Date.parse(a.at) - Date.parse(b.at))
    .slice(-entriesShown)
    .map(({ at, node, kind, what: text, details }) => {
      const afterMs = (Date.parse(at) - lostMs).toFixed(0).padStart(7);
      return `${afterMs} ms ${node} ${kind}: ${text} ${JSON.stringify(details ?? {})}`;
    });
  const statuses = await Promise.all(
    sides.map(async (side) => `${side}: ${JSON.stringify((await pair.node(side).status()) ?? "no status")}`),
  );
  process.stderr.write(`${[what, ...lines, ...statuses].join("\n")}\n`);
}

function timelineOf(log: string): readonly Entry[] {
  return log.split("\n").flatMap((line) => {
    if (!line.includes('"message":"timeline"')) return [];
    return [JSON.parse(line) as Entry];
  });
}
