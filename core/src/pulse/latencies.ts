/** The last hundred echo ages of each path, for the one figure that status shows. */

export interface Latencies {
  add(path: string, echoAgeMs: number): void;
  /** Half the median echo age: about one way, plus half of what the peer waited for its next beat. */
  medianMs(path: string): number | undefined;
}

const kept = 100;

export function createLatencies(): Latencies {
  const rings = new Map<string, { readonly ages: Float64Array; count: number }>();
  return {
    add(path, echoAgeMs) {
      let ring = rings.get(path);
      if (ring === undefined) {
        ring = { ages: new Float64Array(kept), count: 0 };
        rings.set(path, ring);
      }
      ring.ages[ring.count % kept] = echoAgeMs;
      ring.count += 1;
    },
    medianMs(path) {
      const ring = rings.get(path);
      if (ring === undefined) return undefined;
      const ages = ring.ages.slice(0, Math.min(ring.count, kept)).sort();
      const median = ages[ages.length >> 1];
      return median === undefined ? undefined : median / 2;
    },
  };
}
