/**
 * A copy of everything in one file, on its way to the other node: a line of JSON for each row, and a last line with the
 * other values, the count and a checksum, so that a copy that was cut or altered is refused.
 */

import { createHash } from "node:crypto";
import { readFileSync, rmSync } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { setImmediate } from "node:timers/promises";
import { type SessionRow, StoreFailure, z } from "@understudy/core/public";

/** Some 200 KB at a time: far below the 10 ms that the thread may be held up. */
const rowsAtOnce = 500;

/** By hand, because a schema takes ten times as long, and the thread is held up meanwhile. */
const texts = ["id", "user", "agent", "createdAt", "attributes", "origin"] as const;

function isRow(value: Partial<Record<keyof SessionRow, unknown>> | null): value is SessionRow {
  if (typeof value !== "object" || value === null) return false;
  return (
    texts.every((name) => typeof value[name] === "string") &&
    typeof value.ended === "boolean" &&
    typeof value.overLimit === "boolean" &&
    Number.isSafeInteger(value.epoch) &&
    Number.isSafeInteger(value.sequence)
  );
}

const lastLine = z.strictObject({
  rows: z.int(),
  meta: z.array(z.tuple([z.string(), z.string()])),
  sha256: z.string(),
});

export interface Copy {
  readonly rows: readonly SessionRow[];
  readonly meta: readonly (readonly [string, string])[];
}

/** Takes what is there now, then writes it beside whatever goes on. Leaves no file behind when it fails. */
export async function writeCopy(
  file: string,
  rows: Iterable<SessionRow>,
  meta: Iterable<readonly [string, string]>,
  progress: (fraction: number) => void,
): Promise<void> {
  // Rows are never changed, only replaced: a list of them is a copy of this moment.
  const all = [...rows];
  const values = [...meta];
  try {
    const handle = await open(file, "wx", 0o600);
    try {
      await writeLines(handle, all, values, progress);
    } finally {
      await handle.close();
    }
  } catch (error) {
    rmSync(file, { force: true });
    throw failureOf(error);
  }
}

async function writeLines(
  handle: FileHandle,
  all: readonly SessionRow[],
  meta: readonly (readonly [string, string])[],
  progress: (fraction: number) => void,
): Promise<void> {
  const hash = createHash("sha256");
  for (let at = 0; at < all.length; at += rowsAtOnce) {
    const text = all
      .slice(at, at + rowsAtOnce)
      .map((row) => `${JSON.stringify(row)}\n`)
      .join("");
    hash.update(text);
    await handle.write(text);
    progress(Math.min(1, (at + rowsAtOnce) / (all.length + 1)));
    await setImmediate();
  }
  hash.update(JSON.stringify(meta));
  await handle.write(`${JSON.stringify({ rows: all.length, meta, sha256: hash.digest("hex") })}\n`);
  await handle.sync();
  progress(1);
}

/** Throws a StoreFailure "corrupt" for anything but a whole copy. The file is used up, as it is by any store. */
export function readCopy(file: string): Copy {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    throw failureOf(error);
  }
  const end = text.lastIndexOf("\n", text.length - 2) + 1;
  const body = text.slice(0, end);
  const last = parsed(text.slice(end), (value) => lastLine.parse(value));
  const sha256 = createHash("sha256").update(body).update(JSON.stringify(last.meta)).digest("hex");
  if (sha256 !== last.sha256) throw new StoreFailure("corrupt", "the copy is not what was written");
  const rows = body
    .split("\n")
    .slice(0, -1)
    .map((line) => parsed(line, rowOf));
  if (rows.length !== last.rows) throw new StoreFailure("corrupt", "rows are missing in the copy");
  rmSync(file, { force: true });
  return { rows, meta: last.meta };
}

function rowOf(value: unknown): SessionRow {
  const row = value as Parameters<typeof isRow>[0];
  if (!isRow(row)) throw new Error("it is no row");
  return row;
}

function parsed<T>(line: string, read: (value: unknown) => T): T {
  try {
    return read(JSON.parse(line));
  } catch (error) {
    throw new StoreFailure("corrupt", "the copy holds something that is no row", error);
  }
}

function failureOf(error: unknown): StoreFailure {
  if (error instanceof StoreFailure) return error;
  const { code, message } = error as NodeJS.ErrnoException;
  return new StoreFailure(code === "ENOSPC" ? "full" : "broken", message, error);
}
