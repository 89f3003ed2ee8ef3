/**
 * Whether the segment finds this machine at its HA addresses (rule R7). Neighbours that are heard are asked from each HA
 * address: an answer that reaches us was sent there, past every switch between, by a machine that has just been told.
 */

import type { SegmentAgreement } from "@understudy/core/public";
import { addressKey, ipBytes } from "./bytes.js";

export interface Verdict {
  readonly agreement: SegmentAgreement;
  readonly agreed: number;
  readonly of: number;
  /** Heard, but never answered however often they were asked, while others do: they do not count. */
  readonly silent: number;
}

export interface Agreement {
  /** The addresses have just come here, or somebody else answered for one: whoever agreed is asked anew. */
  doubt(nowMs: number): void;
  /** A machine that is not this one spoke. `wanted`: a gateway or the peer, which are never left out. */
  heard(key: string, wanted: boolean, nowMs: number): void;
  /** A machine answered a question that came from an HA address. */
  answered(haKey: string, key: string, nowMs: number): void;
  /** Whom to ask from an HA address now; they count as asked. */
  toAsk(haKey: string, nowMs: number): readonly Uint8Array[];
  judge(nowMs: number): Verdict;
}

/** A machine that was not heard for so long has gone, and cannot agree any more. */
const aliveMs = 30_000;
/** In the first second of announcing nobody is asked with every round. */
const askAgainMs = 250;
/** Half a minute of asking every second. */
const silentAfter = 30;
/** An answer holds until the next round has had its chance. */
const graceMs = 5000;
/** Each is asked with a broadcast, which wakes the whole segment. */
const mostNeighbours = 8;

interface About {
  answeredMs: number;
  askedMs: number;
  /** Without an answer since. */
  asked: number;
}

interface Neighbour {
  readonly wanted: boolean;
  heardMs: number;
  readonly about: Map<string, About>;
}

const unasked = (): About => ({ answeredMs: -Infinity, askedMs: -Infinity, asked: 0 });

export function makeAgreement(haAddresses: readonly string[], refreshMs: number): Agreement {
  const ha = haAddresses.map((address) => addressKey(ipBytes(address)));
  const neighbours = new Map<string, Neighbour>();
  let doubtedMs = -Infinity;

  const alive = (neighbour: Neighbour, nowMs: number) => nowMs - neighbour.heardMs < aliveMs;
  /** Of the same family: their keys have the same length. */
  const concerning = (key: string) => ha.filter((one) => one.length === key.length);
  const aboutOf = (neighbour: Neighbour, haKey: string): About => {
    const known = neighbour.about.get(haKey) ?? unasked();
    neighbour.about.set(haKey, known);
    return known;
  };
  const agrees = ({ answeredMs }: About, nowMs: number) =>
    answeredMs >= doubtedMs && nowMs - answeredMs < refreshMs + graceMs;

  function admit(wanted: boolean, nowMs: number): boolean {
    for (const [key, neighbour] of neighbours) if (!alive(neighbour, nowMs)) neighbours.delete(key);
    if (neighbours.size < mostNeighbours) return true;
    const passing = [...neighbours].find(([, neighbour]) => !neighbour.wanted)?.[0];
    if (!wanted || passing === undefined) return false;
    return neighbours.delete(passing);
  }

  return {
    doubt(nowMs) {
      doubtedMs = nowMs;
      for (const { about } of neighbours.values()) about.clear();
    },
    heard(key, wanted, nowMs) {
      if (concerning(key).length === 0 || ha.includes(key)) return;
      const known = neighbours.get(key);
      if (known !== undefined) known.heardMs = nowMs;
      else if (admit(wanted, nowMs)) neighbours.set(key, { wanted, heardMs: nowMs, about: new Map() });
    },
    answered(haKey, key, nowMs) {
      const neighbour = neighbours.get(key);
      if (neighbour === undefined || !concerning(key).includes(haKey)) return;
      const about = aboutOf(neighbour, haKey);
      about.answeredMs = nowMs;
      about.asked = 0;
    },
    toAsk(haKey, nowMs) {
      return [...neighbours].flatMap(([key, neighbour]) => {
        if (!alive(neighbour, nowMs) || !concerning(key).includes(haKey)) return [];
        const about = aboutOf(neighbour, haKey);
        if (nowMs - Math.max(about.askedMs, about.answeredMs) < askAgainMs) return [];
        about.askedMs = nowMs;
        about.asked += 1;
        return [Buffer.from(key, "hex")];
      });
    },
    judge(nowMs) {
      const there = [...neighbours].filter(([, neighbour]) => alive(neighbour, nowMs));
      const all = there.map(([key, neighbour]) => concerning(key).map((haKey) => aboutOf(neighbour, haKey)));
      const agreed = all.filter((about) => about.every((one) => agrees(one, nowMs))).length;
      const never = all.filter((about) =>
        about.some((one) => one.asked >= silentAfter && !agrees(one, nowMs)),
      ).length;
      // Where nobody answers at all it is we who are not reached.
      const silent = agreed > 0 ? never : 0;
      const of = all.length - silent;
      return { agreement: of === 0 ? "unknown" : agreed >= of ? "agreed" : "disagreed", agreed, of, silent };
    },
  };
}

/** Of several segments as one: all must agree. */
export function together(verdicts: readonly Verdict[]): Verdict {
  const sum = (count: (verdict: Verdict) => number) => verdicts.reduce((all, one) => all + count(one), 0);
  const of = sum((one) => one.of);
  const agreed = sum((one) => one.agreed);
  return {
    agreement: of === 0 ? "unknown" : agreed >= of ? "agreed" : "disagreed",
    agreed,
    of,
    silent: sum((one) => one.silent),
  };
}

/** "3 of 4 neighbours", for people. */
export function inWords({ agreed, of, silent }: Verdict): string {
  if (of === 0) return "no neighbour is heard";
  return `${agreed} of ${of} neighbour${of === 1 ? "" : "s"}${silent === 0 ? "" : `, ${silent} never answer`}`;
}
