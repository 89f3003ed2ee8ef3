/**
 * How long it takes until a dead node counts as dead, by the media that the pair has: from the loss of power to the claim of
 * the survivor, by its own timeline, and to the first answer that a client gets again. Asserts nothing.
 */

import { monotonicMs } from "../lab/packet-socket.js";
import { type Pair, pairHaAddress, type Side } from "../lab/pair.js";
import { type Sample, startProbe } from "../lab/probe.js";
import type { Segment } from "../lab/segment.js";
import { type Medium, type Stage, startPatiently } from "./media-stage.js";
import { explain } from "./unclaimed.js";

export interface Detected {
  readonly media: readonly Medium[];
  /** From the last answer of the dead node to the survivor's claim, by its own log. */
  readonly claimMs: readonly (number | undefined)[];
  readonly gapMs: readonly (number | undefined)[];
}

/** The standby claims in well under this, whatever the medium. */
const watchMs = 4000;

export async function detect(stage: Stage, media: readonly Medium[], runs: number): Promise<Detected> {
  const { segment } = stage;
  const pair = await startPatiently(stage, { heartbeat: { paths: stage.paths(media) } });
  const claimMs: (number | undefined)[] = [];
  const gapMs: (number | undefined)[] = [];
  try {
    for (let run = 0; run < runs; run += 1) {
      await pair.waitFor(() => allHeard(pair, media.length), "every path carries");
      const probe = await startProbe(segment, pairHaAddress, { httpPort: undefined });
      const wallMs = Date.now();
      const lostMs = monotonicMs();
      // Before the network: a living pulse that sees its carrier go says goodbye over the line, and a dead one cannot.
      await stage.cutLines();
      // Not the pair's: that one stops the processes a moment before the wire is cut, which would flatter the figure.
      segment.losePower("primary");
      await pair.node("primary").gone();
      const claimedAt = await claimAfter(pair, wallMs);
      const { last, first } = handover(segment, (await probe.stop()).samples);
      if (last === undefined) {
        await explain(pair, "the primary did not serve when it lost its power: not counted", wallMs);
      } else {
        gapMs.push(first === undefined ? undefined : first - last - 1);
        claimMs.push(claimedAt === undefined ? undefined : lostMs + claimedAt - wallMs - last);
        if (claimedAt === undefined) await explain(pair, `not claimed within ${watchMs} ms`, wallMs);
      }
      stage.mendLines();
      if (run === runs - 1) continue;
      await pair.returnPower("primary");
      await pair.settled("primary", 60_000);
    }
  } finally {
    await pair.close();
    stage.mendLines();
    segment.mend("primary");
  }
  return { media, claimMs, gapMs };
}

/**
 * When the dead node answered ARP for the last time, and when the survivor did for the first time after that. A node that
 * never answered did not serve, and nobody had anything to claim from it.
 */
function handover(
  segment: Segment,
  samples: readonly Sample[],
): { readonly last: number | undefined; readonly first: number | undefined } {
  const timesOf = (side: Side) => {
    const mac = segment.run(side, "cat", ["/sys/class/net/eth0/address"]).trim().replaceAll(":", "");
    return samples.filter(({ level, from }) => level === "arp" && from === mac).map(({ atMs }) => atMs);
  };
  const last = timesOf("primary").at(-1);
  if (last === undefined) return { last: undefined, first: undefined };
  const after = timesOf("secondary").filter((atMs) => atMs > last);
  return { last, first: after.length === 0 ? undefined : Math.min(...after) };
}

async function allHeard(pair: Pair, paths: number): Promise<boolean> {
  const status = (await pair.node("secondary").status())?.pulse;
  const heard = status?.paths.filter(({ lastHeardMsAgo }) => (lastHeardMsAgo ?? Infinity) < 1000) ?? [];
  return heard.length === paths;
}

/** When the survivor claimed after that moment, by the wall clock and its log; undefined when it does not. */
async function claimAfter(pair: Pair, wallMs: number): Promise<number | undefined> {
  const endMs = performance.now() + watchMs;
  while (performance.now() < endMs) {
    const claim = claimsOf(pair.node("secondary").log("pulse")).find((at) => at >= wallMs);
    const served = (await pair.node("secondary").status())?.pulse?.role === "active";
    if (claim !== undefined && served) return claim;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return undefined;
}

/** Wall-clock milliseconds of every entry that says so. */
function claimsOf(log: string): readonly number[] {
  return log.split("\n").flatMap((line) => {
    if (!line.includes('"to":"claiming"')) return [];
    return [Date.parse((JSON.parse(line) as { at: string }).at)];
  });
}
