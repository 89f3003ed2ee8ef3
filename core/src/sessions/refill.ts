/**
 * Filling an empty or far-behind node with a copy of the whole database: when it may begin, chunks with back-pressure,
 * and when the copy may take the place of what was there. Files are the business of whoever runs this.
 */

import type { Ledger } from "./ledger.js";
import type { Outbox } from "./messages.js";
import { covers, type VersionVector } from "./version-vector.js";

/** Memory for larger ones is mapped anew for each, which costs the receiver more than all the rest (measured). */
const chunkBytes = 64 * 1024;
const mostBufferedBytes = 3 * 1024 * 1024;

/** The files of a transfer. All synchronous but `copy`, whose end is told by `Refill.copied`. */
export interface SnapshotFiles {
  /** Begins to copy the store to a file, and calls `Refill.copied` or `Refill.stop` later. */
  copy(): void;
  /** In memory that the next call may use again. */
  read(offset: number, bytes: number): Uint8Array;
  beginReceiving(): void;
  write(chunk: Uint8Array): void;
  /** Durably takes the place of the store. */
  replaceStore(): void;
  /** Deletes whatever there is, and takes no interest in a copy still being made. */
  drop(): void;
}

export interface Transfer {
  readonly direction: "sending" | "receiving";
  readonly doneBytes: number;
  readonly totalBytes: number;
}

export interface Refill {
  readonly transfer: Transfer | undefined;
  /** This node refills the other: nothing else is sent to it until it has connected anew. */
  readonly sending: boolean;
  /** The other node is to be refilled, once its own changes are here. */
  expectToSend(): void;
  /** Its own changes are here and durable, and it serves nobody. */
  peerIsReady(): void;
  copied(bytes: number): void;
  work(bufferedBytes: number): boolean;
  receiveBegin(bytes: number, vector: VersionVector): void;
  receiveChunk(chunk: Uint8Array): void;
  /** Returns why the copy was not taken, or undefined when it was and the ledger was read anew. */
  receiveEnd(serving: boolean): string | undefined;
  stop(): void;
}

type Phase =
  | { readonly name: "idle" }
  | { readonly name: "expecting" }
  | { readonly name: "copying"; readonly vector: VersionVector }
  | { readonly name: "sending"; readonly totalBytes: number; doneBytes: number }
  | { readonly name: "sent" }
  | {
      readonly name: "receiving";
      readonly totalBytes: number;
      readonly vector: VersionVector;
      doneBytes: number;
    };

export function createRefill(options: {
  readonly ledger: Ledger;
  readonly outbox: Outbox;
  readonly files: SnapshotFiles;
}): Refill {
  const { ledger, outbox, files } = options;
  let phase: Phase = { name: "idle" };

  return {
    get transfer() {
      if (phase.name !== "sending" && phase.name !== "receiving") return undefined;
      const { name: direction, doneBytes, totalBytes } = phase;
      return { direction, doneBytes, totalBytes };
    },
    get sending() {
      return phase.name !== "idle" && phase.name !== "receiving";
    },
    expectToSend() {
      phase = { name: "expecting" };
    },
    peerIsReady() {
      if (phase.name !== "expecting") return;
      // The copy holds at least what is here now, so it covers all that the other node ever said.
      phase = { name: "copying", vector: ledger.vector() };
      files.copy();
    },
    copied(totalBytes) {
      if (phase.name !== "copying") return;
      outbox.put({ type: "snapshotBegins", bytes: totalBytes, vector: phase.vector });
      phase = { name: "sending", totalBytes, doneBytes: 0 };
    },
    work(bufferedBytes) {
      if (phase.name !== "sending" || bufferedBytes > mostBufferedBytes) return false;
      const bytes = files.read(phase.doneBytes, Math.min(chunkBytes, phase.totalBytes - phase.doneBytes));
      outbox.put({ type: "snapshotChunk", bytes });
      phase.doneBytes += bytes.length;
      if (phase.doneBytes < phase.totalBytes) return true;
      outbox.put({ type: "snapshotEnds" });
      phase = { name: "sent" };
      files.drop();
      return false;
    },
    receiveBegin(totalBytes, vector) {
      phase = { name: "receiving", totalBytes, vector, doneBytes: 0 };
      files.beginReceiving();
    },
    receiveChunk(chunk) {
      if (phase.name !== "receiving") return;
      files.write(chunk);
      phase.doneBytes += chunk.length;
    },
    receiveEnd(serving) {
      if (phase.name !== "receiving") return "no copy had begun";
      const { totalBytes, doneBytes, vector } = phase;
      phase = { name: "idle" };
      const why =
        (doneBytes === totalBytes ? undefined : `the copy has ${doneBytes} bytes, not ${totalBytes}`) ??
        (serving ? "this node began to serve meanwhile" : undefined) ??
        (covers(vector, ledger.vector()) ? undefined : "this node has changes that the copy lacks");
      if (why === undefined) {
        files.replaceStore();
        ledger.reread();
        ledger.setIntents({ mustRefill: "", peerForgotten: false });
      } else {
        files.drop();
      }
      return why;
    },
    stop() {
      if (phase.name !== "idle") files.drop();
      phase = { name: "idle" };
    },
  };
}
