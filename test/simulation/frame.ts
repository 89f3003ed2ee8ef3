/**
 * Beats on the simulated wire: what the sending side adds to a body, and which arriving ones count. A simulated frame
 * cannot be forged, so what is left of authenticity here is the order of sequences within a boot (rule R8).
 */

import type { BeatBody } from "@understudy/core/internal/failover/action";
import type { Beat } from "@understudy/core/internal/heartbeat/beat";
import type { Side } from "@understudy/core/public";

export interface FrameLedger {
  frame(body: BeatBody, path: string, nowMs: number): Beat;
  /** Undefined when the frame is old, otherwise the age of our frame that it echoes. */
  accept(beat: Beat, path: string, nowMs: number): { readonly echoAgeMs: number | undefined } | undefined;
}

const sentKept = 2000;

export function makeFrameLedger(sender: Side, nonce: string): FrameLedger {
  let sequence = 0;
  const sentAtMs = new Map<number, number>();
  const heard = new Map<string, { nonce: string; sequence: number }>();
  const superseded = new Set<string>();
  let peerNonce: string | undefined;
  return {
    frame: (body, path, nowMs) => {
      sequence += 1;
      sentAtMs.set(sequence, nowMs);
      if (sentAtMs.size > sentKept) sentAtMs.delete(sequence - sentKept);
      const serving = body.role === "claiming" || body.role === "active";
      return {
        ...body,
        sender,
        nonce,
        sequence,
        echo: heard.get(path),
        claimToken: serving ? "token" : undefined,
      };
    },
    accept: (beat, path, nowMs) => {
      if (superseded.has(beat.nonce)) return undefined;
      if (peerNonce !== undefined && peerNonce !== beat.nonce) {
        superseded.add(peerNonce);
        heard.clear();
      }
      peerNonce = beat.nonce;
      const last = heard.get(path);
      if (last !== undefined && beat.sequence <= last.sequence) return undefined;
      heard.set(path, { nonce: beat.nonce, sequence: beat.sequence });
      if (beat.echo === undefined || beat.echo.nonce !== nonce) return { echoAgeMs: undefined };
      const sent = sentAtMs.get(beat.echo.sequence);
      return { echoAgeMs: sent === undefined ? undefined : nowMs - sent };
    },
  };
}
