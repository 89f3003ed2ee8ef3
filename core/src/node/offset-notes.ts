/**
 * Notes in the timeline how the two nodes' clocks differ, so that records of long ago can still be put in order: once for
 * each boot of the other node, and again when they have drifted.
 */

import type { MeasuredOffset, PeerHello } from "./node-link.js";
import type { Timeline } from "./timeline.js";

const worthNotingMs = 1;

export function noteOffsets(timeline: Timeline): (offset: MeasuredOffset, peer: PeerHello) => void {
  let noted: { readonly peerBoot: string; readonly offsetMs: number; readonly errorMs: number } | undefined;
  return ({ offsetMs, errorMs, atMs }, { boot, node }) => {
    const moved =
      noted === undefined || Math.abs(offsetMs - noted.offsetMs) > worthNotingMs + errorMs + noted.errorMs;
    if (noted?.peerBoot === boot && !moved) return;
    noted = { peerBoot: boot, offsetMs, errorMs };
    const ahead = offsetMs >= 0 ? "ahead of" : "behind";
    timeline.record(
      "clock",
      `the monotonic clock of ${node} is ${Math.abs(offsetMs).toFixed(3)} ms ${ahead} ours, give or take ${errorMs.toFixed(3)} ms`,
      [],
      { peerBoot: boot, peerMs: atMs + offsetMs, offsetMs, errorMs },
    );
  };
}
