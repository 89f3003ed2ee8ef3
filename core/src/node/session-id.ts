/**
 * The id of a session, derived from cluster, user and idempotency key (rule R23): the same on both nodes, so that a retry
 * on either side of a split makes one session.
 */

import { hash } from "node:crypto";

const alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const characters = 26;

/** 26 characters of Crockford base32: the first 130 bits of SHA-256 over the three, each closed by its length. */
export function sessionId(cluster: string, user: string, key: string): string {
  const digest = hash("sha256", `${cluster.length}:${cluster}${user.length}:${user}${key}`, "buffer");
  let id = "";
  let bits = 0;
  let held = 0;
  for (let at = 0; id.length < characters; at += 1) {
    bits = ((bits << 8) | (digest[at] as number)) & 0xfff;
    held += 8;
    while (held >= 5 && id.length < characters) {
      held -= 5;
      id += alphabet.charAt((bits >> held) & 31);
    }
  }
  return id;
}
