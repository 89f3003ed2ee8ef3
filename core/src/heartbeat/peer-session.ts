/**
 * Which beats of the other node count, and how old our own is that they echo (rule R8). A beat that echoes this start
 * of ours was made during it, so it is fresh; a mere hello could have been recorded earlier and is never preferred to
 * a start of the other node that is being heard.
 */

import type { Side } from "../plugin/contract.js";
import type { Beat } from "./beat.js";

export type BeatVerdict =
  /** `echoAgeMs`: how long ago we sent what the beat echoes; undefined: it echoes nothing of ours. */
  | { readonly fresh: true; readonly echoAgeMs: number | undefined }
  | { readonly fresh: false; readonly reason: StaleReason };

export type StaleReason =
  /** It says it comes from our own side: a reflection, or a second node with our identity. */
  | "own-side"
  /** Of a start of the other node that a later one has replaced. */
  | "superseded"
  /** Heard already, or overtaken by a later one on this path. */
  | "old"
  /** A start we have not met, without proof that it is now, while another one is being heard. */
  | "unproven";

/** What the sending side adds to a beat, for one path. */
export interface BeatStamp {
  readonly nonce: string;
  readonly sequence: number;
  readonly echo: Beat["echo"];
}

export interface PeerSession {
  stamp(path: string, nowMs: number): BeatStamp;
  accept(path: string, beat: Beat, keyId: number, nowMs: number): BeatVerdict;
  /** Keys that the other node has signed with since it started (rule R29). */
  readonly peerKeyIds: ReadonlySet<number>;
}

/** One start of the other node, as we know it. */
interface PeerStart {
  readonly nonce: string;
  readonly keyIds: Set<number>;
  /** The last sequence heard, by path. */
  readonly heard: Map<string, number>;
  /** Sequences heard on any path, by their remainder: each beat travels one path and counts once. */
  readonly seen: Float64Array;
  lastHeardMs: number;
}

/** Enough for the longest echo that still counts at 5 ms on eight paths. */
const sentKept = 4096;
const seenKept = 1024;
/** Once the start that we knew has been silent for so long, a hello of another one is believed. */
const helloAfterMs = 1000;
const startsKept = 256;

export function createPeerSession(self: Side, nonce: string): PeerSession {
  const sentAtMs = new Float64Array(sentKept);
  let sequence = 0;
  let current: PeerStart | undefined;
  /** The highest of our sequences that was ever echoed: a proof of now must be of a later one. */
  let echoed = 0;
  /** Replaced by a start that proved itself: never again. */
  const retired = createBoundedSet();
  /** Replaced by a mere hello: back only with proof. */
  const passed = createBoundedSet();

  function echoOf(beat: Beat): number | undefined {
    const { echo } = beat;
    return echo !== undefined && echo.nonce === nonce && echo.sequence >= 1 && echo.sequence <= sequence
      ? echo.sequence
      : undefined;
  }

  /** Decides whether another start than the current one may take its place. */
  function meet(beat: Beat, echo: number | undefined, nowMs: number): StaleReason | undefined {
    if (retired.has(beat.nonce)) return "superseded";
    const proven = echo !== undefined && echo > echoed;
    if (!proven && current !== undefined) {
      if (passed.has(beat.nonce)) return "superseded";
      if (nowMs - current.lastHeardMs < helloAfterMs) return "unproven";
    }
    if (current !== undefined) (proven ? retired : passed).add(current.nonce);
    current = {
      nonce: beat.nonce,
      keyIds: new Set(),
      heard: new Map(),
      seen: new Float64Array(seenKept),
      lastHeardMs: nowMs,
    };
    return undefined;
  }

  return {
    stamp(path, nowMs) {
      sequence += 1;
      sentAtMs[sequence % sentKept] = nowMs;
      const heard = current?.heard.get(path);
      const echo =
        current === undefined || heard === undefined ? undefined : { nonce: current.nonce, sequence: heard };
      return { nonce, sequence, echo };
    },
    accept(path, beat, keyId, nowMs) {
      if (beat.sender === self) return { fresh: false, reason: "own-side" };
      const echo = echoOf(beat);
      if (current === undefined || beat.nonce !== current.nonce) {
        const reason = meet(beat, echo, nowMs);
        if (reason !== undefined) return { fresh: false, reason };
      }
      if (current === undefined) return { fresh: false, reason: "unproven" };
      const { heard, seen } = current;
      if (beat.sequence <= (heard.get(path) ?? 0) || seen[beat.sequence % seenKept] === beat.sequence) {
        return { fresh: false, reason: "old" };
      }
      heard.set(path, beat.sequence);
      seen[beat.sequence % seenKept] = beat.sequence;
      current.keyIds.add(keyId);
      current.lastHeardMs = nowMs;
      if (echo === undefined) return { fresh: true, echoAgeMs: undefined };
      echoed = Math.max(echoed, echo);
      const known = sequence - echo < sentKept;
      return { fresh: true, echoAgeMs: known ? nowMs - (sentAtMs[echo % sentKept] ?? nowMs) : undefined };
    },
    get peerKeyIds() {
      return current?.keyIds ?? new Set<number>();
    },
  };
}

/** Forgets its oldest: only restarts of the other node fill it. */
function createBoundedSet(): { has(value: string): boolean; add(value: string): void } {
  const values = new Set<string>();
  return {
    has: (value) => values.has(value),
    add(value) {
      values.add(value);
      const [oldest] = values;
      if (values.size > startsKept && oldest !== undefined) values.delete(oldest);
    },
  };
}
