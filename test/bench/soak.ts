/**
 * False takeovers: a healthy pair under an overload of both cores for a given time, during which nothing fails. Counts
 * how often the address moved, and what the client missed. Prints one row a contender; asserts nothing.
 */

import { bothAnsweringMs, outage } from "../lab/outage.js";
import { monotonicMs } from "../lab/packet-socket.js";
import { startProbe } from "../lab/probe.js";
import { type Contender, haAddress } from "./contender.js";
import { loadNow, startLoad } from "./load.js";
import { makeBenchSegment } from "./takeover.js";

const sliceMs = 20_000;

export interface SoakFigures {
  readonly minutes: number;
  readonly moves: number;
  readonly worstGapMs: number;
  readonly bothMs: number;
  readonly load: string;
}

/** `processes` that never rest beside the pair; 7 gives a load of about 7. */
export async function soak(contender: Contender, minutes: number, processes: number): Promise<SoakFigures> {
  const segment = await makeBenchSegment();
  const pair = await contender.start(segment);
  const load = startLoad(processes);
  const endMs = monotonicMs() + minutes * 60_000;
  let moves = 0;
  let worstGapMs = 0;
  let bothMs = 0;
  let last: string | undefined;
  try {
    while (monotonicMs() < endMs) {
      const probe = await startProbe(segment, haAddress, { httpPort: undefined });
      const fromMs = monotonicMs();
      await new Promise((resolve) => setTimeout(resolve, Math.min(sliceMs, Math.max(1000, endMs - fromMs))));
      const result = await probe.stop();
      for (const { level, from } of result.samples) {
        if (level !== "arp") continue;
        if (last !== undefined && from !== last) moves += 1;
        last = from;
      }
      worstGapMs = Math.max(worstGapMs, outage(result, "arp", fromMs)?.gapMs ?? Infinity);
      bothMs += bothAnsweringMs(result, fromMs);
    }
    return { minutes, moves, worstGapMs, bothMs, load: loadNow() };
  } finally {
    load.stop();
    await pair.stop();
    segment.close();
  }
}
