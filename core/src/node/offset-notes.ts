/**
 * Notes in the timeline how the two nodes' clocks differ, so that records of long ago can still be put in order: once for
 * each boot of the other node, and again when they have drifted.
 */

import type { ClockOffset } from "./clock-offset.js";
import type { MeasuredOffset, PeerHello } from "./node-link.js";
import type { Timeline } from "./timeline.js";

const worthNotingMs = 1;

/** It has drifted, or is known much better now. */
function worthNoting(noted: ClockOffset, fresh: ClockOffset): boolean {
  const moved = Math.abs(fresh.offsetMs - noted.offsetMs) > worthNotingMs + fresh.errorMs + noted.errorMs;
  return moved || (noted.errorMs > worthNotingMs && fresh.errorMs < noted.errorMs / 4);
}

export function noteOffsets(timeline: Timeline): (offset: MeasuredOffset, peer: PeerHello) => void {
  let noted: (ClockOffset & { readonly peerBoot: string }) | undefined;
  return ({ offsetMs, errorMs, atMs }, { boot, node }) => {
    // One kernel, one clock.
    if (boot === timeline.boot) return;
    if (noted?.peerBoot === boot && !worthNoting(noted, { offsetMs, errorMs })) return;
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
