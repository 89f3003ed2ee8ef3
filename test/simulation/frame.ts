/**
 * Beats on the simulated wire: what the sending side adds to a body, and which arriving ones count. A simulated frame
 * cannot be forged; everything else that rule R8 asks is decided by the production code.
 */

import type { BeatBody } from "@understudy/core/internal/failover/action";
import type { Beat } from "@understudy/core/internal/heartbeat/beat";
import { createPeerSession } from "@understudy/core/internal/heartbeat/peer-session";
import type { Side } from "@understudy/core/public";

export interface FrameLedger {
  frame(body: BeatBody, path: string, nowMs: number): Beat;
  /** Undefined when the frame does not count, otherwise the age of our frame that it echoes. */
  accept(beat: Beat, path: string, nowMs: number): { readonly echoAgeMs: number | undefined } | undefined;
}

const onlyKey = 1;

export function makeFrameLedger(sender: Side, nonce: string): FrameLedger {
  const session = createPeerSession(sender, nonce);
  return {
    frame: (body, path, nowMs) => {
      const serving = body.role === "claiming" || body.role === "active";
      return { ...body, sender, ...session.stamp(path, nowMs), claimToken: serving ? "token" : undefined };
    },
    accept: (beat, path, nowMs) => {
      const verdict = session.accept(path, beat, onlyKey, nowMs);
      return verdict.fresh ? { echoAgeMs: verdict.echoAgeMs } : undefined;
    },
  };
}
