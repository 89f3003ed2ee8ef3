/** Rows and stores for the conformance suite of session stores: the same number always makes the same row, and its id looks like a real one. */

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import type { RowFilter, SessionRow, SessionStore } from "../sessions/store.js";

const alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/** 26 characters of Crockford base32, spread like the ids that are derived from user and key (rule R23). */
export function idOf(number: number | string): string {
  const bytes = createHash("sha256").update(String(number)).digest();
  return Array.from(bytes.subarray(0, 26), (byte) => alphabet[byte & 31]).join("");
}

export function rowOf(number: number, changes: Partial<SessionRow> = {}): SessionRow {
  return {
    id: idOf(number),
    user: `user-${number}`,
    agent: `agent-${number % 5}`,
    createdAt: "2026-11-24T05:40:08.123Z",
    attributes: JSON.stringify({ display: `:${number}`, client: "192.168.100.200", geometry: "1920x1080" }),
    ended: false,
    overLimit: false,
    epoch: 3,
    origin: "p0123456789ab",
    sequence: number,
    ...changes,
  };
}

/** A folder of its own, and stores in it that are opened here and closed at the end. */
export interface Place {
  readonly folder: string;
  open(): SessionStore;
}

export function commit(store: SessionStore, work: () => void): void {
  store.begin();
  work();
  const answer: unknown = store.commit();
  assert.equal(answer, undefined, "commit is synchronous: durable when it returns");
}

export function putAll(store: SessionStore, rows: readonly SessionRow[]): void {
  commit(store, () => {
    for (const row of rows) store.put(row);
  });
}

export function numbered(
  count: number,
  changes: (number: number) => Partial<SessionRow> = () => ({}),
): SessionRow[] {
  return Array.from({ length: count }, (_, at) => rowOf(at + 1, changes(at + 1)));
}

export function byId(rows: readonly SessionRow[]): SessionRow[] {
  return rows.toSorted((a, b) => (a.id < b.id ? -1 : 1));
}

export const everything: RowFilter = { includeEnded: true, limit: 100_000 };
