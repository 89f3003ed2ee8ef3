/** A named pipe in place of /dev/watchdog: what is written stays readable, in order. It knows no ioctl and resets nothing. */

import { execFileSync } from "node:child_process";
import { closeSync, constants, openSync, readSync } from "node:fs";

export interface Fifo {
  readonly path: string;
  /** Everything written since the last call. */
  read(): string;
  close(): void;
}

export function makeFifo(path: string): Fifo {
  execFileSync("mkfifo", [path]);
  const file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const buffer = Buffer.alloc(65_536);
  return {
    path,
    read() {
      try {
        return buffer.toString("latin1", 0, readSync(file, buffer));
      } catch (error) {
        // A writer is there and has written nothing.
        if ((error as NodeJS.ErrnoException).code === "EAGAIN") return "";
        throw error;
      }
    },
    close: () => closeSync(file),
  };
}
