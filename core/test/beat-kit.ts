/** Beats and keys for tests, the same at every run. */

import type { Beat } from "../src/heartbeat/beat.js";
import type { KeyRing } from "../src/keys/key-file.js";

export function testKey(id: number) {
  return { id, secret: Uint8Array.from({ length: 32 }, (_, index) => (index * id) % 256), created: "test" };
}

export function testRing(...ids: readonly number[]): KeyRing {
  return { keys: ids.map(testKey), signWith: ids[0] ?? 1 };
}

export function testBeat(changes: Partial<Beat> = {}): Beat {
  return {
    sender: "secondary",
    nonce: "0123456789abcdef",
    sequence: 7,
    epoch: 258,
    role: "active",
    health: { clientLink: true, node: false, services: true, store: true },
    verified: true,
    inSync: false,
    goodbye: true,
    unwell: true,
    preference: { side: "secondary", version: 3 },
    configDigest: "c0ffee01",
    asks: false,
    answers: true,
    heardOn: 5,
    echo: { nonce: "fedcba9876543210", sequence: 2 ** 40 + 1 },
    claimToken: "000102030405060708090a0b0c0d0e0f",
    ...changes,
  };
}

/** Mulberry32: a seed makes the same numbers everywhere. */
export function seeded(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let value = Math.imul(state ^ (state >>> 15), 1 | state);
    value = (value + Math.imul(value ^ (value >>> 7), 61 | value)) ^ value;
    return ((value ^ (value >>> 14)) >>> 0) % below;
  };
}
