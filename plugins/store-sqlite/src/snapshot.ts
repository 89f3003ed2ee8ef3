/**
 * Copies the database while it is in use: everything is in the file itself after a checkpoint, and as long as the next
 * one is held back the file does not change, whatever is committed meanwhile. So nobody waits for the copy.
 */

import { read } from "node:fs";
import { type FileHandle, open, rm } from "node:fs/promises";
import { setImmediate } from "node:timers/promises";
import { promisify } from "node:util";
import { StoreFailure } from "@understudy/core/public";
import type { Checkpoints } from "./checkpoints.js";
import type { OpenDatabase } from "./opening.js";

const pieceBytes = 2 * 1024 * 1024;
const readAt = promisify(read);

/** Resolves when the copy is durable. Rejects, and leaves no file, when the database is closed meanwhile. */
export async function copyDatabase(
  from: OpenDatabase,
  checkpoints: Checkpoints,
  to: string,
  progress: (fraction: number) => void,
): Promise<void> {
  while (from.database.isOpen && from.database.isTransaction) await setImmediate();
  checkStillOpen(from);
  if (!checkpoints.now()) throw new StoreFailure("full", "the log could not be brought into the database");
  checkpoints.hold();
  // Now and not later: what is committed from here on counts for the database, and is not in the file.
  const bytes = fileBytes(from);
  let target: FileHandle | undefined;
  try {
    target = await open(to, "wx", 0o600);
    await copy(from, target, bytes, progress);
    await target.sync();
    await target.close();
    checkStillOpen(from);
  } catch (error) {
    await target?.close().catch(() => {});
    if (target !== undefined) await rm(to, { force: true });
    throw error;
  } finally {
    if (from.database.isOpen) checkpoints.release();
  }
}

/** As the database counts it: the file may be longer, never shorter. */
function fileBytes({ database }: OpenDatabase): number {
  const pages = Number(database.prepare("PRAGMA page_count").get()?.page_count);
  return pages * Number(database.prepare("PRAGMA page_size").get()?.page_size);
}

function checkStillOpen({ database }: OpenDatabase): void {
  if (!database.isOpen) throw new StoreFailure("broken", "the database was closed while it was copied");
}

async function copy(
  from: OpenDatabase,
  target: FileHandle,
  bytes: number,
  progress: (fraction: number) => void,
): Promise<void> {
  const piece = Buffer.allocUnsafe(pieceBytes);
  progress(0);
  for (let at = 0; at < bytes; ) {
    // Closing the database changes the file by a last checkpoint, and closes the reader.
    checkStillOpen(from);
    const { bytesRead } = await readAt(from.reader, piece, 0, Math.min(pieceBytes, bytes - at), at);
    if (bytesRead === 0) throw new StoreFailure("corrupt", "the database file is shorter than it says");
    const { bytesWritten } = await target.write(piece, 0, bytesRead, at);
    at += bytesWritten;
    progress(at / bytes);
  }
}
