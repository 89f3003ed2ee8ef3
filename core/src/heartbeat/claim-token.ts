/**
 * The token that ends the lease of a lower epoch in the other node's kernel (rule R5). Both nodes can compute it from a
 * shared key, and no token of an epoch has been on the wire before somebody claims with that epoch.
 */

import { createHmac } from "node:crypto";
import { deriveKey } from "../keys/derive.js";
import type { Key, KeyRing } from "../keys/key-file.js";
import type { ClaimToken } from "../plugin/contract.js";

export const claimTokenBytes = 16;

/** HMAC-SHA256 of "<cluster>:<epoch>", its first 16 bytes. */
export function claimToken(key: Key, cluster: string, epoch: number): Uint8Array {
  const mac = createHmac("sha256", deriveKey(key.secret, "claim")).update(`${cluster}:${epoch}`).digest();
  return Uint8Array.from(mac.subarray(0, claimTokenBytes));
}

/** What the kernel must know: the other node may sign with any key of the ring (rule R29). */
export function claimTokens(
  ring: KeyRing,
  cluster: string,
  epochs: readonly number[],
): readonly ClaimToken[] {
  return epochs.flatMap((epoch) =>
    ring.keys.map((key) => ({ epoch, token: claimToken(key, cluster, epoch) })),
  );
}
