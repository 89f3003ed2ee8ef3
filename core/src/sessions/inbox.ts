/**
 * Works off what the other node sent, strictly in order: runs of changes share one transaction, and whatever follows
 * them sees them durable. Confirmations leave after the commit, one an origin.
 */

import type { Ledger } from "./ledger.js";
import type { Envelope, Head, Message, Outbox } from "./messages.js";
import type { Repair } from "./repair.js";
import type { Stream } from "./stream.js";

/** Then other work has its turn. */
const mostRowsAtOnce = 4000;

export interface Inbox {
  readonly waiting: number;
  push(envelope: Envelope): void;
  clear(): void;
  /** Returns the head of the last envelope worked off. Throws what the store throws; then nothing is half applied. */
  work(): Head | undefined;
}

export interface InboxOptions {
  readonly ledger: Ledger;
  readonly stream: Stream;
  readonly repair: Repair;
  readonly outbox: Outbox;
  /** Changes are not taken now: the disk refused some, or the database is to be replaced. */
  readonly dropsChanges: () => boolean;
  /** Everything but changes and rows. */
  readonly handle: (message: Message, head: Head) => void;
  readonly gap: (reason: string) => void;
}

export function createInbox(options: InboxOptions): Inbox {
  const { ledger, stream, repair, outbox } = options;
  let envelopes: Envelope[] = [];
  const toConfirm = new Set<string>();
  let begun = false;

  function begin(): void {
    if (begun) return;
    ledger.begin();
    begun = true;
  }

  function commit(): void {
    if (begun) ledger.commit();
    begun = false;
    for (const origin of toConfirm) outbox.put({ type: "confirm", origin, through: ledger.has(origin) });
    toConfirm.clear();
  }

  function change(message: Extract<Message, { type: "changes" }>, head: Head): void {
    if (options.dropsChanges()) return;
    if (message.from > ledger.has(message.origin)) {
      options.gap(
        `changes of ${message.origin} from ${message.from} came after ${ledger.has(message.origin)}`,
      );
      return;
    }
    begin();
    // A sender of an older epoch did not know all sessions: its changes are history (rule R20).
    const settled = message.settled && head.epoch >= ledger.epoch;
    for (const { row, hash } of message.rows) ledger.merge(row, hash, settled);
    ledger.advance(message.origin, message.through);
    stream.peerHas(message.origin, message.through);
    toConfirm.add(message.origin);
  }

  function take(message: Message, head: Head): number {
    if (message.type === "changes") {
      change(message, head);
      return message.rows.length;
    }
    if (message.type === "repairRows") {
      if (options.dropsChanges()) return 0;
      begin();
      repair.receiveRows(message.rows);
      return message.rows.length;
    }
    commit();
    options.handle(message, head);
    return 0;
  }

  return {
    get waiting() {
      return envelopes.length;
    },
    push(envelope) {
      envelopes.push(envelope);
    },
    clear() {
      envelopes = [];
    },
    work() {
      const batch = envelopes;
      envelopes = [];
      let head: Head | undefined;
      let at = 0;
      try {
        for (let rows = 0; at < batch.length && rows < mostRowsAtOnce; at += 1) {
          const envelope = batch[at];
          if (envelope === undefined) break;
          for (const message of envelope.messages) rows += take(message, envelope.head);
          head = envelope.head;
        }
        commit();
      } catch (error) {
        if (begun) ledger.rollback();
        begun = false;
        toConfirm.clear();
        throw error;
      }
      if (at < batch.length) envelopes = [...batch.slice(at), ...envelopes];
      return head;
    },
  };
}
