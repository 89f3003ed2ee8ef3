/**
 * A disk of a chosen size under a folder, so that a test can fill it without the host noticing: a tmpfs, mounted for the
 * test and unmounted after it. Its files do not outlive the mount.
 */

import { execFileSync } from "node:child_process";
import { closeSync, mkdirSync, openSync, rmSync, statfsSync, writeSync } from "node:fs";
import { join } from "node:path";

export interface SmallDisk {
  /** Writes until the kernel says that there is no room. */
  fill(): void;
  /** Gives the room back. */
  empty(): void;
  unmount(): void;
}

const pieceBytes = 64 * 1024;

export function mountSmallDisk(folder: string, mebibytes: number): SmallDisk {
  mkdirSync(folder, { recursive: true });
  execFileSync("mount", ["-t", "tmpfs", "-o", `size=${mebibytes}m,mode=0700`, "tmpfs", folder]);
  let mounted = true;
  const filler = join(folder, "filler");
  const unmount = () => {
    if (!mounted) return;
    mounted = false;
    process.removeListener("exit", unmount);
    // Lazily: a process that was killed a moment ago may have a file open for some milliseconds more.
    execFileSync("umount", ["--lazy", folder]);
  };
  process.once("exit", unmount);
  return {
    fill: () => {
      const file = openSync(filler, "a");
      try {
        // A last piece that is smaller than a page would leave room for another's page.
        for (const bytes of [pieceBytes, 4096]) {
          const piece = Buffer.alloc(bytes, 1);
          while (statfsSync(folder).bavail > 0 && wrote(file, piece));
        }
      } finally {
        closeSync(file);
      }
    },
    empty: () => rmSync(filler, { force: true }),
    unmount,
  };
}

function wrote(file: number, piece: Buffer): boolean {
  try {
    return writeSync(file, piece) === piece.length;
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOSPC") return false;
    throw cause;
  }
}
