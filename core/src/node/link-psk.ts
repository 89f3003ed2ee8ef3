/**
 * How a shared secret becomes a TLS 1.3 handshake: the cipher that works with pre-shared keys, and the identity that
 * names cluster and key, so that either node can still use an older key while keys are rotated (rule R29).
 */

import type { LinkKey } from "./peer-link.js";

/** AES-256 fails with a handshake alert when keys are pre-shared: Node's callback offers SHA-256 sessions only. */
export const pskTls = {
  ciphers: "TLS_AES_128_GCM_SHA256:PSK",
  minVersion: "TLSv1.3",
  maxVersion: "TLSv1.3",
} as const;

export function identityOf(cluster: string, keyId: number): string {
  return `${cluster}/${keyId}`;
}

/** The secret that an arriving identity names, if it is of our cluster and our ring. */
export function secretFor(
  identity: string,
  cluster: string,
  keys: readonly LinkKey[],
): Uint8Array | undefined {
  return keys.find(({ id }) => identityOf(cluster, id) === identity)?.secret;
}

/** The keys in the order to try them: the signing one, then the others, the newest id first. */
export function keysInTurn(keys: readonly LinkKey[], signWith: number): readonly LinkKey[] {
  const others = keys.filter(({ id }) => id !== signWith).sort((a, b) => b.id - a.id);
  return [...keys.filter(({ id }) => id === signWith), ...others];
}

/** What OpenSSL says when keys differ, in words that lead to the cause. */
export function explainHandshake(message: string): string {
  const keysDiffer =
    /binder|decrypt error|handshake failure|unknown.psk|psk identity|no shared cipher|no suitable|bad.record|certificate|illegal parameter/i;
  return keysDiffer.test(message)
    ? `the other node does not accept the key: the key files or cluster names of the two nodes differ (${message})`
    : message;
}
