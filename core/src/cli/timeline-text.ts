/** Timeline entries as lines for people: when, where, of what kind, what, and by which rules. Pure. */

import type { TimelineEntry } from "../plugin/contract.js";
import { table } from "./words.js";

/** The time is that of the writing node's wall clock; the order is not made from it. */
export function timelineLines(entries: readonly TimelineEntry[]): string {
  return table(
    entries.map(({ at, node, kind, what, rules }) => [
      at.replace("T", " ").replace("Z", ""),
      node,
      kind,
      rules.length === 0 ? what : `${what} [${rules.join(" ")}]`,
    ]),
  );
}
