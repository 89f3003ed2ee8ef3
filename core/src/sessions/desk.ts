/**
 * Takes requests in groups: decides what each becomes, makes a group durable with one commit, and answers when the
 * promise that an answer is (G3) holds. The changes leave for the other node before the commit, so both disks work at
 * once.
 */

import { createWriter } from "./bytes.js";
import type { Sync } from "./in-sync.js";
import type { Ledger } from "./ledger.js";
import type { Answer, RefusalKind, Request, Serving } from "./request.js";
import { compareStamps } from "./row-order.js";
import { type SessionRow, type SessionStore, StoreFailure } from "./store.js";
import type { Stream } from "./stream.js";

const mostInGroup = 512;
export const mostQueued = 20_000;

/** Decided and durable here, its promise not yet kept. */
interface Group {
  /** Own changes up to here must be confirmed. */
  readonly sequence: number;
  readonly epoch: number;
  readonly tickets: number[];
  readonly rows: SessionRow[];
  readonly created: boolean[];
}

export interface Desk {
  readonly queued: number;
  /** Groups that wait for the other node. */
  readonly pending: number;
  /** The disk has no room for a new session (rule R22). */
  full: boolean;
  submit(request: Request): void;
  /** Runs one group. Returns whether more wait. */
  run(): boolean;
  /** Answers what may be answered now. */
  settle(): void;
  refuseAll(refusal: RefusalKind): void;
  /** Adds the rows whose ids are not here, as changes of this node. Undefined when it does not serve, or the disk is full. */
  importRows(rows: readonly SessionRow[]): number | undefined;
}

export interface DeskOptions {
  readonly ledger: Ledger;
  readonly store: SessionStore;
  readonly sync: Sync;
  readonly stream: Stream;
  /** Undefined when this node does not serve or a higher epoch was heard (rule R20). */
  readonly serving: () => Serving | undefined;
  /** Hands what is in the outbox to the link. */
  readonly flush: () => void;
  readonly answer: (ticket: number, answer: Answer) => void;
  /** A commit failed after its changes had left: the sequence they used must never be used again (rule R17). */
  readonly abandoned: () => void;
}

export function createDesk(options: DeskOptions): Desk {
  const { ledger, store, sync, stream, serving, flush, answer, abandoned } = options;
  let queue: Request[] = [];
  let queueAt = 0;
  const pending: Group[] = [];
  let pendingAt = 0;
  let full = false;
  let begun = false;
  /** Changes of the open transaction have left. */
  let sent = false;
  const writer = createWriter();

  const queued = () => queue.length - queueAt;

  function refuse(ticket: number, refusal: RefusalKind): void {
    answer(ticket, { ok: false, refusal });
  }

  function begin(): void {
    if (begun) return;
    ledger.ensureOrigin();
    ledger.begin();
    begun = true;
  }

  /** One running session a user. A key that was used is answered with its session, also when that has ended. */
  function create(request: Extract<Request, { kind: "create" }>, group: Group): void {
    const { session, ticket } = request;
    const known = store.get(session.id) ?? oldestOf(store.runningOf(session.user));
    if (known === undefined && full) {
      refuse(ticket, "diskFull");
      return;
    }
    if (known === undefined) begin();
    add(group, ticket, known ?? ledger.create(session, writer), known === undefined);
  }

  function end(request: Extract<Request, { kind: "end" }>, group: Group, stale: boolean): void {
    const known = store.get(request.id);
    if (known === undefined) {
      refuse(request.ticket, stale ? "notKnownYet" : "notFound");
      return;
    }
    if (!known.ended) begin();
    add(group, request.ticket, known.ended ? known : ledger.end(known, writer), false);
  }

  function run(): boolean {
    if (queued() === 0) return false;
    const role = serving();
    if (role === undefined || ledger.mustRefill !== "") {
      refuseQueue(role === undefined ? "notActive" : "notKnownYet");
      return false;
    }
    const taken = queue.slice(queueAt, queueAt + mostInGroup);
    queueAt += taken.length;
    if (queueAt === queue.length) {
      queue = [];
      queueAt = 0;
    }
    try {
      execute(taken, role);
    } catch (error) {
      recover(error, taken);
    }
    return queued() > 0;
  }

  function execute(taken: readonly Request[], role: Serving): void {
    const group: Group = { sequence: 0, epoch: role.epoch, tickets: [], rows: [], created: [] };
    commitChanges(() => {
      for (const request of taken) {
        if (request.kind === "create") create(request, group);
        else end(request, group, role.stale);
      }
    });
    pending.push({ ...group, sequence: ledger.sequence });
    settle();
  }

  /** Returns how many changes `make` made; they are durable here, and on their way. */
  function commitChanges(make: () => void): number {
    writer.length = 0;
    const from = ledger.sequence;
    make();
    const through = ledger.sequence;
    if (begun) {
      sent = stream.offer({ from, through, count: through - from, settled: sync.joined }, writer);
      // From here on the other node may have these changes, whatever becomes of this commit.
      flush();
      ledger.commit();
      sent = false;
      begun = false;
    }
    return through - from;
  }

  /**
   * Nothing of the group was answered yet. A full disk refuses the creates and tries the ends again by themselves, for
   * which the store keeps room; anything else is for whoever runs this thread.
   */
  function recover(error: unknown, taken: readonly Request[]): void {
    if (begun) ledger.rollback();
    begun = false;
    if (sent) abandoned();
    sent = false;
    if (!(error instanceof StoreFailure) || error.kind !== "full") throw error;
    const creates = taken.filter(({ kind }) => kind === "create");
    for (const { ticket } of creates) refuse(ticket, "diskFull");
    const ends = taken.filter(({ kind }) => kind === "end");
    if (full && creates.length === 0) {
      for (const { ticket } of ends) refuse(ticket, "diskFull");
    } else {
      queue = [...ends, ...queue.slice(queueAt)];
      queueAt = 0;
    }
    full = true;
  }

  function settle(): void {
    if (pendingAt === pending.length) return;
    const role = serving();
    const alone = !sync.waits;
    const confirmed = stream.confirmed(ledger.origin);
    const heard = sync.joined && role !== undefined && sync.head?.epoch === role.epoch;
    while (pendingAt < pending.length) {
      const group = pending[pendingAt];
      if (group === undefined) break;
      if (role?.epoch !== group.epoch) refuseGroup(group, "notActive");
      else if (alone) acknowledge(group, "solo");
      else if (heard && group.sequence <= confirmed) acknowledge(group, "replicated");
      else break;
      pendingAt += 1;
    }
    if (pendingAt === pending.length) {
      pending.length = 0;
      pendingAt = 0;
    }
  }

  function acknowledge(group: Group, acknowledgement: "replicated" | "solo"): void {
    const { tickets, rows, created, epoch } = group;
    for (let at = 0; at < tickets.length; at += 1) {
      const row = rows[at];
      if (row === undefined) continue;
      answer(tickets[at] ?? 0, { ok: true, row, created: created[at] === true, acknowledgement, epoch });
    }
  }

  function refuseGroup(group: Group, refusal: RefusalKind): void {
    for (const ticket of group.tickets) refuse(ticket, refusal);
  }

  function refuseQueue(refusal: RefusalKind): void {
    const waiting = queue.slice(queueAt);
    queue = [];
    queueAt = 0;
    for (const { ticket } of waiting) refuse(ticket, refusal);
  }

  return {
    get queued() {
      return queued();
    },
    get pending() {
      return pending.length - pendingAt;
    },
    get full() {
      return full;
    },
    set full(value) {
      full = value;
    },
    importRows(rows) {
      if (serving() === undefined || full || ledger.mustRefill !== "") return undefined;
      try {
        return commitChanges(() => {
          for (const row of rows) {
            if (store.get(row.id) !== undefined) continue;
            begin();
            ledger.importRow(row, writer);
          }
        });
      } catch (error) {
        recover(error, []);
        return undefined;
      }
    },
    submit(request) {
      if (queued() >= mostQueued) refuse(request.ticket, "overloaded");
      else queue.push(request);
    },
    run,
    settle,
    refuseAll(refusal) {
      refuseQueue(refusal);
      const waiting = pending.slice(pendingAt);
      pending.length = 0;
      pendingAt = 0;
      for (const group of waiting) refuseGroup(group, refusal);
    },
  };
}

function add(group: Group, ticket: number, row: SessionRow, created: boolean): void {
  group.tickets.push(ticket);
  group.rows.push(row);
  group.created.push(created);
}

/** After a split a user may have more than one: the oldest is the one within the limit. */
function oldestOf(running: readonly SessionRow[]): SessionRow | undefined {
  let oldest = running[0];
  for (const row of running) if (oldest !== undefined && compareStamps(row, oldest) < 0) oldest = row;
  return oldest;
}
