/**
 * One key for each purpose, derived from a shared secret by HKDF-SHA256. A leak of one derived key tells nothing about
 * the others or the secret.
 */

import { hkdfSync } from "node:crypto";

export type KeyPurpose = "beat" | "claim" | "tls" | "token";

export function deriveKey(secret: Uint8Array, purpose: KeyPurpose, bytes = 32): Uint8Array {
  return new Uint8Array(hkdfSync("sha256", secret, "understudy", purpose, bytes));
}
