/**
 * The id of a session, derived from cluster, user and idempotency key (rule R23): the same on both nodes, so that a retry
 * on either side of a split makes one session.
 */

import { hash } from "node:crypto";

const alphabet = Buffer.from("0123456789ABCDEFGHJKMNPQRSTVWXYZ", "latin1");
const characters = 26;
const scratch = Buffer.alloc(characters);

/** 26 characters of Crockford base32: the first 130 bits of SHA-256 over the three, each closed by its length. */
export function sessionId(cluster: string, user: string, key: string): string {
  const digest = hash("sha256", `${cluster.length}:${cluster}${user.length}:${user}${key}`, "buffer");
  let bits = 0;
  let held = 0;
  let at = 0;
  for (let made = 0; made < characters; made += 1) {
    if (held < 5) {
      bits = ((bits << 8) | (digest[at] as number)) & 0xfff;
      at += 1;
      held += 8;
    }
    held -= 5;
    scratch[made] = alphabet[(bits >> held) & 31] as number;
  }
  // In one piece: a string put together from characters would have to be copied together at its first use.
  return scratch.toString("latin1");
}
