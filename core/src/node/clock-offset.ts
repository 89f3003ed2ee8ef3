/**
 * How far the other node's monotonic clock is ahead of ours, from round trips over the node link, pure. The sample with
 * the shortest round trip is the most exact: the error is at most half of it.
 */

export interface ClockSample {
  /** Our monotonic milliseconds when the question left and when the answer came. */
  readonly sentMs: number;
  readonly receivedMs: number;
  /** The other node's monotonic milliseconds when it answered. */
  readonly peerMs: number;
}

export interface ClockOffset {
  /** Peer's clock minus ours. */
  readonly offsetMs: number;
  readonly errorMs: number;
}

export function offsetOf(sample: ClockSample): ClockOffset {
  const { sentMs, receivedMs, peerMs } = sample;
  return { offsetMs: peerMs - (sentMs + receivedMs) / 2, errorMs: (receivedMs - sentMs) / 2 };
}

/** Crystals drift by some 50 millionths each, so an old sample loses its exactness. */
export const driftPerMs = 1e-4;

export function betterOffset(
  known: (ClockOffset & { readonly atMs: number }) | undefined,
  fresh: ClockOffset & { readonly atMs: number },
): ClockOffset & { readonly atMs: number } {
  if (known === undefined) return fresh;
  const aged = known.errorMs + (fresh.atMs - known.atMs) * driftPerMs;
  return fresh.errorMs <= aged ? fresh : known;
}
