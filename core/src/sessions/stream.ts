/**
 * What this node sends to the other: first all that the other lacks, origin by origin and read from the store in slices,
 * then each group of changes as it is made. The same cursor serves both, so that a stream that fell behind catches up
 * the way a new one does.
 */

import type { ByteWriter } from "./bytes.js";
import { createWriter } from "./bytes.js";
import type { Ledger } from "./ledger.js";
import type { Outbox } from "./messages.js";
import { putRow } from "./row-codec.js";
import type { SessionStore } from "./store.js";
import type { VersionVector } from "./version-vector.js";

const sliceRows = 500;
/** Beyond this much unsent, changes wait in the store and not in memory. */
const mostBufferedBytes = 4 * 1024 * 1024;
const roomBytes = 2 * 1024 * 1024;

export interface Stream {
  /** Everything was sent, and groups are sent as they are made. */
  readonly live: boolean;
  readonly active: boolean;
  start(peerHas: VersionVector): void;
  stop(): void;
  /** Sends a group of own changes if nothing is before it in line. Before the commit. Returns whether it was sent. */
  offer(
    group: {
      readonly from: number;
      readonly through: number;
      readonly count: number;
      readonly settled: boolean;
    },
    rows: ByteWriter,
  ): boolean;
  /** Sends the next slice of what is missing. Never within a transaction. Returns whether there is more. */
  pump(): boolean;
  /** The peer has this, so it need not be sent. */
  peerHas(origin: string, sequence: number): void;
  /** Durable at the peer. */
  confirm(origin: string, sequence: number): void;
  confirmed(origin: string): number;
}

export function createStream(options: {
  readonly ledger: Ledger;
  readonly store: SessionStore;
  readonly outbox: Outbox;
  readonly bufferedBytes: () => number;
}): Stream {
  const { ledger, store, outbox, bufferedBytes } = options;
  let cursor = new Map<string, number>();
  let confirmed = new Map<string, number>();
  let live = false;
  let active = false;
  const writer = createWriter();
  const hash = { high: 0, low: 0 };

  /**
   * A slice may leave out a change that a later one has overwritten, and still say `through` beyond it: the later one is
   * sent too, or the peer has it. That is only true of committed rows, hence: never within a transaction.
   */
  function sendSlice(origin: string, upTo: number): void {
    const from = cursor.get(origin) ?? 0;
    const rows = store.changesAfter(origin, from, sliceRows);
    const last = rows.at(-1);
    const through = rows.length < sliceRows || last === undefined ? upTo : last.sequence;
    writer.length = 0;
    for (const row of rows) putRow(writer, row, hash);
    outbox.putChanges({ origin, from, through, settled: false }, rows.length, writer);
    cursor.set(origin, through);
  }

  return {
    get live() {
      return live;
    },
    get active() {
      return active;
    },
    start(peerHas) {
      cursor = new Map(peerHas);
      confirmed = new Map(peerHas);
      live = false;
      active = true;
    },
    stop() {
      live = false;
      active = false;
    },
    offer({ from, through, count, settled }, rows) {
      if (!live) return false;
      if (bufferedBytes() > mostBufferedBytes) {
        live = false;
        return false;
      }
      outbox.putChanges({ origin: ledger.origin, from, through, settled }, count, rows);
      cursor.set(ledger.origin, through);
      return true;
    },
    pump() {
      if (!active || live) return false;
      if (bufferedBytes() > roomBytes) return false;
      for (const [origin, sequence] of ledger.vector()) {
        if ((cursor.get(origin) ?? 0) >= sequence) continue;
        sendSlice(origin, sequence);
        return true;
      }
      outbox.put({ type: "caughtUp", vector: ledger.vector() });
      live = true;
      return false;
    },
    peerHas(origin, sequence) {
      if (sequence > (cursor.get(origin) ?? 0)) cursor.set(origin, sequence);
    },
    confirm(origin, sequence) {
      if (sequence > (confirmed.get(origin) ?? 0)) confirmed.set(origin, sequence);
    },
    confirmed: (origin) => confirmed.get(origin) ?? 0,
  };
}
