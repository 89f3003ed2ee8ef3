/**
 * The key file: a small ring of shared secrets, of which one signs and all are accepted (rule R29). It is refused when
 * anybody else could read or replace it, and replaced as a whole, never edited in place.
 */

import { randomBytes, randomInt } from "node:crypto";
import {
  closeSync,
  fchmodSync,
  fstatSync,
  fsyncSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { dirname } from "node:path";
import { z } from "zod";
import { keyError } from "../errors/keys.js";

export interface Key {
  /** 1 to 255: one byte on the wire. */
  readonly id: number;
  readonly secret: Uint8Array;
  /** ISO 8601, for people. */
  readonly created: string;
}

export interface KeyRing {
  readonly keys: readonly Key[];
  /** The id of the key that signs; every key of the ring is accepted. */
  readonly signWith: number;
}

export const secretBytes = 32;
const mostKeys = 8;

const keySchema = z.strictObject({
  id: z.int().min(1).max(255),
  secret: z
    .base64()
    .refine(
      (text) => Buffer.from(text, "base64").length === secretBytes,
      `must be ${secretBytes} bytes in base64`,
    ),
  created: z.string(),
});

const ringSchema = z
  .strictObject({ keys: z.array(keySchema).min(1).max(mostKeys), signWith: z.int() })
  .refine(({ keys }) => new Set(keys.map(({ id }) => id)).size === keys.length, {
    path: ["keys"],
    message: "two keys have the same id",
  })
  .refine(({ keys, signWith }) => keys.some(({ id }) => id === signWith), {
    path: ["signWith"],
    message: "names a key that is not in the file",
  });

/** Reads, checks owner and mode, and parses. Throws an UnderstudyError that never shows a secret. */
export function readKeyFile(path: string): KeyRing {
  let file: number;
  try {
    file = openSync(path, "r");
  } catch (cause) {
    const missing = (cause as NodeJS.ErrnoException).code === "ENOENT";
    throw missing
      ? keyError("KEY_MISSING", `there is no key file ${path}`, { cause })
      : keyError("KEY_UNREADABLE", `cannot open the key file ${path}: ${(cause as Error).message}`, {
          cause,
        });
  }
  try {
    checkAccess(path, fstatSync(file));
    return parseKeyRing(readFileSync(file, "utf8"), path);
  } finally {
    closeSync(file);
  }
}

function checkAccess(path: string, stat: { readonly mode: number; readonly uid: number }): void {
  const mode = stat.mode & 0o7777;
  if ((mode & 0o077) !== 0) {
    const text = mode.toString(8).padStart(4, "0");
    throw keyError(
      "KEY_PERMISSIONS",
      `the key file ${path} has mode ${text}: others than its owner have access`,
    );
  }
  const self = process.geteuid?.() ?? 0;
  if (stat.uid !== 0 && stat.uid !== self) {
    throw keyError(
      "KEY_PERMISSIONS",
      `the key file ${path} belongs to user ${stat.uid}, neither root nor ${self}, who runs this`,
    );
  }
}

/** Exported for the tests and the fuzzer: pure. */
export function parseKeyRing(text: string, path: string): KeyRing {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // The parser's own message quotes the text, which holds secrets.
    throw keyError("KEY_INVALID", `the key file ${path} is not JSON`);
  }
  const parsed = ringSchema.safeParse(value);
  if (!parsed.success) {
    const mistakes = parsed.error.issues.map(
      ({ path: at, message }) => `${at.join(".") || "file"}: ${message}`,
    );
    throw keyError("KEY_INVALID", `the key file ${path} is wrong: ${mistakes.join("; ")}`);
  }
  const { keys, signWith } = parsed.data;
  return {
    keys: keys.map(({ id, secret, created }) => ({
      id,
      secret: Uint8Array.from(Buffer.from(secret, "base64")),
      created,
    })),
    signWith,
  };
}

export function formatKeyRing(ring: KeyRing): string {
  const keys = ring.keys.map(({ id, secret, created }) => ({
    id,
    secret: Buffer.from(secret).toString("base64"),
    created,
  }));
  return `${JSON.stringify({ keys, signWith: ring.signWith }, null, 2)}\n`;
}

/** Replaces the file as a whole, durably, with mode 0600: a crash leaves the old one or the new one. */
export function writeKeyFile(path: string, ring: KeyRing): void {
  const text = formatKeyRing(ring);
  parseKeyRing(text, path);
  const temporary = `${path}.new`;
  try {
    rmSync(temporary, { force: true });
    const file = openSync(temporary, "wx", 0o600);
    try {
      fchmodSync(file, 0o600);
      writeFileSync(file, text);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(temporary, path);
    syncFolder(dirname(path));
  } catch (cause) {
    throw keyError("KEY_NOT_WRITTEN", `cannot write the key file ${path}: ${(cause as Error).message}`, {
      cause,
    });
  }
}

function syncFolder(folder: string): void {
  const file = openSync(folder, "r");
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

/** A key with fresh random bytes; `id` is one that the ring does not use. */
export function newKey(id = 1): Key {
  return { id, secret: Uint8Array.from(randomBytes(secretBytes)), created: new Date().toISOString() };
}

/** The ring of a new pair: one key, which signs. */
export function newKeyRing(): KeyRing {
  const key = newKey();
  return { keys: [key], signWith: key.id };
}

/** Drawn, not counted: two nodes that both add a key at once must not give two secrets the same id. */
export function freeKeyId(ring: KeyRing, draw: () => number = () => randomInt(1, 256)): number {
  const used = new Set(ring.keys.map(({ id }) => id));
  let id = draw();
  while (used.has(id)) id = (id % 255) + 1;
  return id;
}
