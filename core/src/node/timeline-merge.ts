/**
 * Two nodes' timelines as one, pure. Entries are ordered by monotonic clocks and the offset measured between them, so
 * that causes come before effects although nobody's wall clock is to be trusted; wall clocks place only whole boots.
 */

import type { TimelineEntry } from "../plugin/contract.js";
import { driftPerMs } from "./clock-offset.js";

/** As it is kept and exchanged: monotonic times compare within one boot of one node only. */
export interface KeptEntry extends TimelineEntry {
  /** The kernel's boot id of the machine that wrote it. */
  readonly boot: string;
}

export interface BootOffset {
  readonly ownBoot: string;
  readonly peerBoot: string;
  /** The peer's monotonic clock when it was measured. */
  readonly peerMs: number;
  /** Peer's monotonic clock minus ours. */
  readonly offsetMs: number;
  readonly errorMs: number;
}

interface Placed {
  readonly entry: KeptEntry;
  readonly placeMs: number;
}

type Placing = (entry: KeptEntry) => number;

export function mergeTimelines(
  own: readonly KeptEntry[],
  peer: readonly KeptEntry[],
  offsets: readonly BootOffset[],
): readonly KeptEntry[] {
  const ownStarts = bootStarts(own);
  const peerStarts = bootStarts(peer);
  const ownPlacing: Placing = ({ boot, monotonicMs }) => (ownStarts.get(boot) ?? 0) + monotonicMs;
  const peerPlacing: Placing = ({ boot, monotonicMs }) => {
    const measured = best(offsets, boot, monotonicMs, ownStarts);
    const start = measured && (ownStarts.get(measured.ownBoot) ?? 0) - measured.offsetMs;
    // Two nodes on one kernel, as in a lab, have one clock.
    return (ownStarts.get(boot) ?? start ?? peerStarts.get(boot) ?? 0) + monotonicMs;
  };
  return [...place(own, ownPlacing), ...place(peer, peerPlacing)]
    .sort((a, b) => a.placeMs - b.placeMs)
    .map(({ entry }) => entry);
}

/** Clocks drift: an exact measurement of long ago may be worth less than a poor one of just then. */
function best(
  offsets: readonly BootOffset[],
  peerBoot: string,
  peerMs: number,
  ownStarts: ReadonlyMap<string, number>,
): BootOffset | undefined {
  const doubt = (offset: BootOffset) => offset.errorMs + Math.abs(offset.peerMs - peerMs) * driftPerMs;
  return offsets
    .filter((offset) => offset.peerBoot === peerBoot && ownStarts.has(offset.ownBoot))
    .reduce<BootOffset | undefined>(
      (found, offset) => (found === undefined || doubt(offset) < doubt(found) ? offset : found),
      undefined,
    );
}

/** The wall clock at the start of each boot, as its latest entry has it: by then time servers have been asked. */
function bootStarts(entries: readonly KeptEntry[]): Map<string, number> {
  const starts = new Map<string, number>();
  for (const { boot, at, monotonicMs } of entries) {
    const wallMs = Date.parse(at);
    if (!Number.isNaN(wallMs)) starts.set(boot, wallMs - monotonicMs);
  }
  return starts;
}

/** From the newest backwards: a boot with a wrong wall clock is never placed after the boots that followed it. */
function place(entries: readonly KeptEntry[], placing: Placing): readonly Placed[] {
  const placed: Placed[] = [];
  let ceilingMs = Infinity;
  for (const entry of inOrder(entries).reverse()) {
    ceilingMs = Math.min(placing(entry), ceilingMs);
    placed.push({ entry, placeMs: ceilingMs });
  }
  return placed.reverse();
}

/** Boots in the order in which they were written; within one boot the entries of both processes by their clock. */
function inOrder(entries: readonly KeptEntry[]): KeptEntry[] {
  const boots = new Map<string, KeptEntry[]>();
  for (const entry of entries) {
    const list = boots.get(entry.boot);
    if (list === undefined) boots.set(entry.boot, [entry]);
    else list.push(entry);
  }
  return [...boots.values()].flatMap((list) => list.sort((a, b) => a.monotonicMs - b.monotonicMs));
}

/** The measurements that a node noted in its own timeline. */
export function notedOffsets(own: readonly KeptEntry[]): readonly BootOffset[] {
  return own.flatMap(({ kind, boot, details }) => {
    const { peerBoot, peerMs, offsetMs, errorMs } = details;
    if (kind !== "clock" || typeof peerBoot !== "string") return [];
    if (typeof peerMs !== "number" || typeof offsetMs !== "number") return [];
    return [
      { ownBoot: boot, peerBoot, peerMs, offsetMs, errorMs: typeof errorMs === "number" ? errorMs : 0 },
    ];
  });
}
