/**
 * The files of a database copy on its way from one node to the other, in the state folder of each. A copy that is being
 * made when it is no longer wanted is deleted when it is done.
 */

import { closeSync, fstatSync, fsyncSync, openSync, readSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import type { SnapshotFiles } from "../sessions/refill.js";
import type { SessionStore } from "../sessions/store.js";

export interface SnapshotOptions {
  readonly folder: string;
  readonly store: SessionStore;
  /** The copy is whole and has so many bytes. */
  readonly copied: (bytes: number) => void;
  readonly failed: (error: Error) => void;
}

export function createSnapshotFiles({ folder, store, copied, failed }: SnapshotOptions): SnapshotFiles {
  const incoming = join(folder, "sessions-copy.incoming");
  let copies = 0;
  let outgoing: string | undefined;
  let file: number | undefined;
  let chunk = Buffer.alloc(0);

  function drop(): void {
    if (file !== undefined) closeSync(file);
    file = undefined;
    if (outgoing !== undefined) rmSync(outgoing, { force: true });
    outgoing = undefined;
    rmSync(incoming, { force: true });
  }

  drop();
  return {
    drop,
    copy() {
      drop();
      copies += 1;
      const path = join(folder, `sessions-copy.${copies}.outgoing`);
      rmSync(path, { force: true });
      outgoing = path;
      store
        .snapshot(path, () => {})
        .then(
          () => {
            if (outgoing !== path) {
              rmSync(path, { force: true });
              return;
            }
            file = openSync(path, "r");
            copied(fstatSync(file).size);
          },
          (error: Error) => {
            rmSync(path, { force: true });
            if (outgoing === path) failed(error);
          },
        );
    },
    read(offset, bytes) {
      if (file === undefined) throw new Error("there is no copy to read from");
      if (chunk.length < bytes) chunk = Buffer.allocUnsafeSlow(bytes);
      const read = readSync(file, chunk, 0, bytes, offset);
      if (read !== bytes) throw new Error("the copy is shorter than it was");
      return chunk.subarray(0, bytes);
    },
    beginReceiving() {
      drop();
      file = openSync(incoming, "wx", 0o600);
    },
    write(arrived) {
      if (file === undefined) throw new Error("there is no copy to write to");
      for (let written = 0; written < arrived.length; ) {
        written += writeSync(file, arrived, written, arrived.length - written);
      }
    },
    replaceStore() {
      if (file === undefined) throw new Error("there is no copy to take over");
      fsyncSync(file);
      closeSync(file);
      file = undefined;
      store.replaceWith(incoming);
      drop();
    },
  };
}
