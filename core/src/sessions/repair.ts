/**
 * Mending two databases whose vectors are equal and whose rows are not (rule R22): a disk lied or a program erred. Sums
 * of 1024 buckets of ids find where they differ, the rows of those buckets are exchanged and merged, and the digest is
 * counted anew from the rows. A running session that only one node knows is kept: a repair never loses one.
 *
 * The node that found the difference sends its sums; the other answers with the buckets that differ and its rows of
 * them; then the first sends its own. All in slices, since a scan of a million rows takes seconds.
 */

import { type ByteWriter, createWriter } from "./bytes.js";
import { add, type Sum64, same, subtract, zero } from "./digest.js";
import type { Ledger } from "./ledger.js";
import type { HashedRow, Outbox } from "./messages.js";
import { hashRow, putRow } from "./row-codec.js";
import type { SessionRow, SessionStore } from "./store.js";

const alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
export const bucketCount = 1024;
const pageRows = 500;
/** The last possible id of a bucket begins with this after its prefix. */
const pastAnyId = "~";

export function bucketOf(id: string): number {
  return alphabet.indexOf(id.charAt(0)) * 32 + alphabet.indexOf(id.charAt(1));
}

function prefixOf(bucket: number): string {
  return alphabet.charAt(bucket >> 5) + alphabet.charAt(bucket & 31);
}

export interface Repair {
  readonly running: boolean;
  /** This node found a difference. */
  begin(): void;
  receiveSums(sums: readonly Sum64[]): void;
  receiveDiffering(buckets: readonly number[]): void;
  /** In a transaction. */
  receiveRows(rows: readonly HashedRow[]): void;
  /** The other node has sent all its rows. */
  receiveRepaired(): void;
  /** A row changed while it may be counted: keeps a running scan exact. */
  changed(before: SessionRow | undefined, after: SessionRow): void;
  /** Does a slice of the work, never within a transaction. Returns whether there is more. */
  work(bufferedBytes: number): boolean;
  stop(): void;
}

type Phase =
  | { readonly name: "idle" }
  | { readonly name: "scanning"; readonly theirs: readonly Sum64[] | undefined }
  | { readonly name: "waiting" }
  /** Sends rows of these buckets, then `finish`. */
  | { readonly name: "sending"; readonly buckets: number[]; after: string }
  /** Everything was sent; the other node still sends. */
  | { readonly name: "receiving" };

export function createRepair(options: {
  readonly ledger: Ledger;
  readonly store: SessionStore;
  readonly outbox: Outbox;
}): Repair {
  const { ledger, store, outbox } = options;
  let phase: Phase = { name: "idle" };
  let sums: Sum64[] = [];
  let scannedThrough = "";
  let theirsArrived = false;
  const writer: ByteWriter = createWriter();
  const hash: Sum64 = { high: 0, low: 0 };

  function scanFor(theirs: readonly Sum64[] | undefined): void {
    phase = { name: "scanning", theirs };
    sums = Array.from({ length: bucketCount }, () => ({ ...zero }));
    scannedThrough = "";
  }

  function scanSlice(theirs: readonly Sum64[] | undefined): void {
    const rows = store.list({ includeEnded: false, after: scannedThrough, limit: pageRows });
    for (const row of rows) {
      const sum = sums[bucketOf(row.id)];
      if (sum !== undefined) add(sum, hashRow(row, hash));
    }
    scannedThrough = rows.at(-1)?.id ?? scannedThrough;
    if (rows.length === pageRows) return;
    correctDigest();
    if (theirs === undefined) {
      outbox.put({ type: "buckets", sums });
      phase = { name: "waiting" };
      return;
    }
    const buckets = sums.flatMap((sum, at) => (same(sum, theirs[at] ?? zero) ? [] : [at]));
    outbox.put({ type: "differing", buckets });
    phase = { name: "sending", buckets, after: "" };
  }

  /** What was kept along with the changes is worth less than what was counted from the rows. */
  function correctDigest(): void {
    const total = { ...zero };
    for (const sum of sums) add(total, sum);
    if (same(total, ledger.digest)) return;
    ledger.begin();
    ledger.setDigest(total);
    ledger.commit();
  }

  function sendSlice(sending: Extract<Phase, { name: "sending" }>): void {
    const bucket = sending.buckets[0];
    if (bucket === undefined) {
      outbox.put({ type: "repaired" });
      phase = { name: theirsArrived ? "idle" : "receiving" };
      return;
    }
    const prefix = prefixOf(bucket);
    const after = sending.after === "" ? prefix : sending.after;
    const page = store.list({ includeEnded: true, after, limit: pageRows });
    const rows = page.filter(({ id }) => id < prefix + pastAnyId);
    writer.length = 0;
    for (const row of rows) putRow(writer, row, hash);
    if (rows.length > 0) outbox.putRepairRows(rows.length, writer);
    if (rows.length === pageRows) {
      sending.after = rows.at(-1)?.id ?? after;
    } else {
      sending.buckets.shift();
      sending.after = "";
    }
  }

  return {
    get running() {
      return phase.name !== "idle";
    },
    begin() {
      if (phase.name !== "idle") return;
      theirsArrived = false;
      scanFor(undefined);
    },
    receiveSums(theirs) {
      // Both may have found the difference at once: the answer to either is enough.
      if (phase.name === "sending" || phase.name === "receiving") return;
      theirsArrived = false;
      scanFor(theirs);
    },
    receiveDiffering(buckets) {
      if (phase.name === "waiting") phase = { name: "sending", buckets: [...buckets], after: "" };
    },
    receiveRows(rows) {
      for (const { row, hash: rowHash } of rows) ledger.merge(row, rowHash, false);
    },
    receiveRepaired() {
      theirsArrived = true;
      if (phase.name === "receiving") phase = { name: "idle" };
    },
    changed(before, after) {
      if (phase.name !== "scanning" || after.id > scannedThrough) return;
      const sum = sums[bucketOf(after.id)];
      if (sum === undefined) return;
      if (before !== undefined && !before.ended) subtract(sum, hashRow(before, hash));
      if (!after.ended) add(sum, hashRow(after, hash));
    },
    work(bufferedBytes) {
      if (phase.name === "scanning") scanSlice(phase.theirs);
      else if (phase.name === "sending" && bufferedBytes < 2 * 1024 * 1024) sendSlice(phase);
      else return false;
      return true;
    },
    stop() {
      phase = { name: "idle" };
    },
  };
}
