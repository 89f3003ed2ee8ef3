/**
 * The tokens as data, pure: what a record holds, how two nodes' sets become one, and how a presented token is checked.
 * Only hashes are kept; whoever reads the file cannot use it.
 */

import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import { z } from "zod";

export const tokenRecordSchema = z.object({
  /** 10 characters of Crockford base32 in lower case. */
  id: z.string().regex(/^[0-9a-hjkmnp-tv-z]{10}$/),
  name: z.string().max(200),
  scope: z.enum(["read", "write"]),
  /** SHA-256 of the whole token, hex. */
  hash: z.string().regex(/^[0-9a-f]{64}$/),
  /** ISO 8601, for people. */
  createdAt: z.string().max(40),
  revokedAt: z.string().max(40).optional(),
});

export type TokenRecord = z.infer<typeof tokenRecordSchema>;
export type TokenSet = ReadonlyMap<string, TokenRecord>;

/** Revoked ones are kept, since forgetting one would bring it back from the other node. */
export const mostTokens = 1000;

const alphabet = "0123456789abcdefghjkmnpqrstvwxyz";
const idLength = 10;
/** 160 bits: guessing is hopeless, so no slow hash is needed. */
const randomLength = 32;

function randomText(length: number): string {
  return Array.from(randomBytes(length), (byte) => alphabet[byte & 31]).join("");
}

export function newToken(
  name: string,
  scope: "read" | "write",
  createdAt: string,
): { readonly token: string; readonly record: TokenRecord } {
  const id = randomText(idLength);
  const token = `usk_${id}_${randomText(randomLength)}`;
  return { token, record: { id, name, scope, hash: hashOf(token).toString("hex"), createdAt } };
}

function hashOf(token: string): Buffer {
  return createHash("sha256").update(token).digest();
}

const noHash = Buffer.alloc(32);

/** Every wrong token costs one hash and one comparison, whether its id exists or not. */
export function checkToken(set: TokenSet, token: string): TokenRecord | undefined {
  const hash = hashOf(token);
  const id = /^usk_([0-9a-z]{10})_/.exec(token)?.[1] ?? "";
  const record = set.get(id);
  const equal = timingSafeEqual(hash, record === undefined ? noHash : Buffer.from(record.hash, "hex"));
  return equal && record?.revokedAt === undefined ? record : undefined;
}

/** The union of both; a token revoked on either node is revoked for ever. Returns `mine` itself when it lacks nothing. */
export function mergeTokens(mine: TokenSet, theirs: readonly TokenRecord[]): TokenSet {
  const merged = new Map(mine);
  let changed = false;
  for (const record of theirs) {
    const known = merged.get(record.id);
    if (known === undefined) {
      if (merged.size >= mostTokens) continue;
      merged.set(record.id, record);
      changed = true;
    } else if (known.revokedAt === undefined && record.revokedAt !== undefined) {
      merged.set(record.id, { ...known, revokedAt: record.revokedAt });
      changed = true;
    }
  }
  return changed ? merged : mine;
}
