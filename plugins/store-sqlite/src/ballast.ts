/**
 * A file that does nothing but take room (rule R22): when the disk is full it is given up, and what it leaves is enough
 * to end sessions and to bring the write-ahead log into the database.
 */

import { randomFillSync } from "node:crypto";
import { closeSync, fsyncSync, openSync, rmSync, statfsSync, statSync, writeSync } from "node:fs";
import { dirname } from "node:path";

export interface Ballast {
  /** The disk has been full, and there was no room for a new ballast since. */
  readonly released: boolean;
  readonly bytes: number;
  /** Makes the file if it is missing and there is room for it and half as much again. Returns whether it is there. */
  ensure(): boolean;
  release(): void;
}

export function createBallast(file: string, bytes: number): Ballast {
  let released = true;

  function present(): boolean {
    return statSync(file, { throwIfNoEntry: false })?.size === bytes;
  }

  function ensure(): boolean {
    if (present()) released = false;
    else if (hasRoom(dirname(file), bytes * 1.5)) released = !fill(file, bytes);
    return !released;
  }

  return {
    get released() {
      return released;
    },
    get bytes() {
      return released ? 0 : bytes;
    },
    ensure,
    release() {
      rmSync(file, { force: true });
      released = true;
    },
  };
}

function hasRoom(folder: string, bytes: number): boolean {
  const { bavail, bsize } = statfsSync(folder);
  return bavail * bsize >= bytes;
}

/** Random bytes, since a file system that compresses would give zeros no room at all. */
function fill(file: string, bytes: number): boolean {
  const piece = randomFillSync(Buffer.alloc(Math.min(bytes, 256 * 1024)));
  try {
    const descriptor = openSync(file, "w", 0o600);
    try {
      for (let left = bytes; left > 0; )
        left -= writeSync(descriptor, piece, 0, Math.min(left, piece.length));
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
    return true;
  } catch {
    // No room after all, or a disk that fails: the database will say so itself, with its own error.
    rmSync(file, { force: true });
    return false;
  }
}
