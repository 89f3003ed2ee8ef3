/**
 * One node's half of the replicated session database: what it does with requests, with envelopes of the other node and
 * with time. Time, randomness, files and the link come in as arguments, so the same code runs in the session thread and
 * in the simulator.
 *
 * The life of a connection: both say hello; whoever is too far behind is refilled with a copy and connects anew; else
 * both send what the other lacks and say `caughtUp`; then each group of changes goes out as it is made.
 */

import type { Outcome } from "../plugin/contract.js";
import { createDesk } from "./desk.js";
import { sumText } from "./digest.js";
import { createFreeze } from "./freeze.js";
import { createSync } from "./in-sync.js";
import { createInbox } from "./inbox.js";
import type { Ledger } from "./ledger.js";
import { createMeeting } from "./meeting.js";
import { createOutbox, decodeEnvelope, type Head, type Message } from "./messages.js";
import { createRefill, type SnapshotFiles } from "./refill.js";
import { createRepair } from "./repair.js";
import { type ReplicaStatus, waitingFor } from "./replica-status.js";
import type { Answer, Request, Serving } from "./request.js";
import { type SessionRow, type SessionStore, StoreFailure } from "./store.js";
import { createStream } from "./stream.js";
import { createTombstones } from "./tombstones.js";
import { shortVectorText } from "./version-vector.js";

export interface ReplicaSettings {
  readonly staleAfterMs: number;
  readonly soloAfterMs: number;
  /** Something is said at least so often. */
  readonly keepAliveMs: number;
  readonly digestEveryMs: number;
  /** Changes whose tombstones are kept; see tombstones.ts. */
  readonly keptChanges?: number;
}

export interface ReplicaEffects {
  /** The bytes are the replica's own again when it returns. */
  send(envelope: Uint8Array): void;
  bufferedBytes(): number;
  resetLink(reason: string): void;
  answer(ticket: number, answer: Answer): void;
  frozen(id: number, outcome: Outcome, detail: string): void;
  /** Worth a line in the log. */
  note(level: "info" | "warn" | "error", message: string, fields: Readonly<Record<string, unknown>>): void;
  readonly files: SnapshotFiles;
}

export interface Replica {
  submit(request: Request, nowMs: number): void;
  linkOpened(nowMs: number): void;
  linkClosed(nowMs: number): void;
  received(envelope: Uint8Array, nowMs: number): void;
  /** At least every 20 ms, after everything that has arrived was handed over. */
  tick(nowMs: number): void;
  /** Does the next piece of work. Returns whether there is more to do now. Throws a StoreFailure that is not `full`. */
  work(nowMs: number): boolean;
  setServing(serving: Serving | undefined, nowMs: number): void;
  freeze(id: number, freezeMs: number, nowMs: number): void;
  unfreeze(): void;
  snapshotCopied(bytes: number): void;
  /** Adds the rows whose ids are not here. Returns how many were added; undefined when this node does not serve. */
  importRows(rows: readonly SessionRow[], nowMs: number): number | undefined;
  forgetPeer(nowMs: number): { readonly ok: boolean; readonly message: string };
  /** The part of the status that others decide by; cheap. */
  report(nowMs: number): Pick<ReplicaStatus, "store" | "verified" | "inSync">;
  status(nowMs: number): ReplicaStatus;
  readonly serving: Serving | undefined;
  /**
   * When the other node's silence lets this one acknowledge alone (rule R20), if nothing is heard until then: a tick at
   * that moment keeps writers from waiting for the next one. Undefined when nobody waits for it.
   */
  readonly aloneAtMs: number | undefined;
}

export interface ReplicaOptions {
  readonly side: "primary" | "secondary";
  readonly ledger: Ledger;
  readonly store: SessionStore;
  readonly settings: ReplicaSettings;
  readonly effects: ReplicaEffects;
  readonly startMs: number;
}

/** So many changes may be on their way when acknowledgements begin to wait for them. */
const mostUnconfirmedAtJoin = 2000;
/** A disk that is full again soon after it had room is asked less and less often. */
const firstProbePauseMs = 2000;
const longestProbePauseMs = 60_000;
const stampStepMs = 0.0001;
const tombstonesEveryMs = 1000;
/** A peer heard this recently may have claimed when this node stops serving (rule R14). */
const recentlyHeardMs = 10_000;

export function createReplica(options: ReplicaOptions): Replica {
  const { ledger, store, settings, effects } = options;
  const outbox = createOutbox();
  const sync = createSync(settings, options.startMs);
  const bufferedBytes = () => effects.bufferedBytes();
  const stream = createStream({ ledger, store, outbox, bufferedBytes });
  const repair = createRepair({ ledger, store, outbox });
  const refill = createRefill({ ledger, outbox, files: effects.files });
  const tombstones = createTombstones(
    settings.keptChanges === undefined ? { ledger, store } : { ledger, store, kept: settings.keptChanges },
  );
  ledger.observe((before, after) => repair.changed(before, after));
  let serving: Serving | undefined;
  let open = false;
  let verified = ledger.peerForgotten;
  let echoMs = 0;
  let lastSentMs = Number.NEGATIVE_INFINITY;
  let lastStampMs = 0;
  let nowMs = options.startMs;
  let nextDigestMs = 0;
  let nextProbeMs = Number.POSITIVE_INFINITY;
  let probePauseMs = firstProbePauseMs;
  let nextTombstonesMs = 0;
  let repairRan = false;
  /** The promise last said; a change is worth an envelope of its own. */
  let saidHead = "";

  const freeze = createFreeze({
    ledger,
    outbox,
    position: () => meeting.position(),
    result: (id, outcome, detail) => effects.frozen(id, outcome, detail),
  });
  /** What this node serves under, unless a higher epoch was heard (rule R20). */
  const acting = () => (serving !== undefined && ledger.epoch <= serving.epoch ? serving : undefined);
  const desk = createDesk({
    ledger,
    store,
    sync,
    stream,
    serving: acting,
    flush,
    answer: (ticket, answer) => effects.answer(ticket, answer),
    abandoned() {
      effects.resetLink("changes that were sent could not be made durable");
      renewOrigin();
    },
  });
  const meeting = createMeeting({
    ledger,
    store,
    sync,
    stream,
    refill,
    repair,
    outbox,
    freeze,
    side: options.side,
    reset: (reason) => effects.resetLink(reason),
    renewOrigin,
    serving: () => serving !== undefined,
    note: effects.note,
    verify(isVerified) {
      verified = isVerified;
    },
  });
  const inbox = createInbox({
    ledger,
    stream,
    repair,
    outbox,
    dropsChanges: () => sync.refuses,
    handle: (message: Message, head: Head) => meeting.handle(message, head, nowMs),
    gap: (reason) => effects.resetLink(reason),
  });

  function renewOrigin(): void {
    try {
      ledger.renew();
    } catch (error) {
      // No room to write it down: `ensureOrigin` tries again before the next change.
      if (!(error instanceof StoreFailure) || error.kind !== "full") throw error;
    }
  }

  function head(): Head {
    const serves = acting() !== undefined;
    return {
      serving: serves,
      promises: sync.promises({ serving: serves, epoch: ledger.epoch }) && !repair.running,
      believes: !serves && sync.believes(nowMs) && !repair.running,
      refuses: sync.refuses || desk.full,
      epoch: ledger.epoch,
      // Every envelope has a time of its own, or an echo could not tell which one was worked off.
      sentMs: nowMs > lastStampMs ? nowMs : lastStampMs + stampStepMs,
      echoMs,
    };
  }

  function summary(of: Head): string {
    return `${of.serving} ${of.promises} ${of.believes} ${of.refuses} ${of.epoch}`;
  }

  function send(said: Head): void {
    if (!open) {
      outbox.clear();
      return;
    }
    sync.noteSent(said);
    saidHead = summary(said);
    lastSentMs = nowMs;
    lastStampMs = said.sentMs;
    effects.send(outbox.seal(said));
  }

  function flush(): void {
    if (outbox.waiting > 0) send(head());
  }

  /** Also when there is nothing to say but who this node is now. */
  function flushNews(): void {
    const said = head();
    if (outbox.waiting > 0 || (open && summary(said) !== saidHead)) send(said);
  }

  /** What the other node sends cannot be made durable: refuse all of it until the disk has room (rule R22). */
  function refuseChanges(): void {
    desk.full = true;
    sync.refuse();
    stream.stop();
    inbox.clear();
    effects.note("warn", "the disk has no room for changes of the other node", {});
  }

  function withRoom(action: () => void, otherwise: () => void): void {
    try {
      action();
    } catch (error) {
      if (!(error instanceof StoreFailure) || error.kind !== "full") throw error;
      otherwise();
    }
  }

  function workInbox(): void {
    if (inbox.waiting === 0) return;
    withRoom(() => {
      const last = inbox.work();
      if (last === undefined) return;
      echoMs = last.sentMs;
      sync.workedOff(last, nowMs, { serving: acting() !== undefined, epoch: ledger.epoch });
    }, refuseChanges);
  }

  function unconfirmed(): number {
    return ledger.sequence - stream.confirmed(ledger.origin);
  }

  /** Everything that must be so before both call themselves in sync. */
  function mayJoin(): boolean {
    const peer = sync.head;
    if (peer === undefined || !stream.live || !meeting.peerCaughtUp || refill.sending) return false;
    // An open connection over which nothing comes would be left again in the same moment.
    if (nowMs - sync.heardMs >= settings.soloAfterMs) return false;
    if (peer.epoch < ledger.epoch || meeting.differing) return false;
    if (repair.running || peer.refuses || sync.refuses || desk.full || ledger.mustRefill !== "") return false;
    if (unconfirmed() > mostUnconfirmedAtJoin) return false;
    for (const [origin, sequence] of ledger.vector()) {
      if (origin === ledger.origin || origin === meeting.peerOrigin) continue;
      if (stream.confirmed(origin) < sequence) return false;
    }
    return true;
  }

  function judge(): void {
    if (serving !== undefined && acting() === undefined) desk.refuseAll("notActive");
    if (sync.head?.refuses === true && stream.active) stream.stop();
    if (repair.running) {
      repairRan = true;
      sync.part();
      sync.forgetBelief();
    } else if (!sync.joined && mayJoin()) {
      sync.join();
      nextDigestMs = nowMs;
    }
    if (serving !== undefined && sync.leaves(nowMs, serving.epoch)) {
      effects.note("warn", "sessions are acknowledged by this node alone", {
        heardMsAgo: Math.round(nowMs - sync.heardMs),
        linkOpen: open,
      });
    }
    desk.settle();
    freeze.advance(nowMs, desk.queued === 0 && desk.pending === 0 && unconfirmed() === 0);
  }

  function probeDisk(): void {
    if (!desk.full) return;
    if (nextProbeMs === Number.POSITIVE_INFINITY) nextProbeMs = nowMs + probePauseMs;
    if (nowMs < nextProbeMs) return;
    nextProbeMs = nowMs + probePauseMs;
    withRoom(
      () => {
        ledger.probe();
        desk.full = false;
        nextProbeMs = Number.POSITIVE_INFINITY;
        probePauseMs = Math.min(2 * probePauseMs, longestProbePauseMs);
        // The other node stopped its stream when it heard of it; a new connection starts both anew.
        effects.resetLink("the disk has room again");
      },
      () => {},
    );
  }

  function compareDigests(): void {
    if (!stream.live || !meeting.peerCaughtUp || repair.running) return;
    if (repairRan) nextDigestMs = nowMs;
    repairRan = false;
    if (nowMs < nextDigestMs) return;
    nextDigestMs = nowMs + settings.digestEveryMs;
    meeting.sayDigest();
  }

  function removeTombstones(): void {
    if (nowMs < nextTombstonesMs || desk.full) return;
    const covered = (origin: string) =>
      ledger.peerForgotten || origin === meeting.peerOrigin ? ledger.has(origin) : stream.confirmed(origin);
    const more = tombstones.work(covered, new Set([ledger.origin, meeting.peerOrigin]));
    if (!more) nextTombstonesMs = nowMs + tombstonesEveryMs;
  }

  function report(atMs: number): { store: boolean; verified: boolean; inSync: boolean } {
    nowMs = atMs;
    const heardLately = nowMs - sync.heardMs < settings.staleAfterMs;
    return {
      store: !desk.full && ledger.mustRefill === "",
      verified: verified && ledger.mustRefill === "",
      inSync:
        acting() === undefined
          ? sync.believes(nowMs) && !repair.running
          : sync.joined && sync.waits && heardLately,
    };
  }

  function disconnect(): void {
    open = false;
    echoMs = 0;
    outbox.clear();
    inbox.clear();
    stream.stop();
    repair.stop();
    refill.stop();
    sync.disconnected();
    meeting.over();
  }

  return {
    get serving() {
      return serving;
    },
    get aloneAtMs() {
      return serving !== undefined && sync.waits ? sync.heardMs + settings.soloAfterMs : undefined;
    },
    submit(request, atMs) {
      nowMs = atMs;
      if (freeze.frozen) effects.answer(request.ticket, { ok: false, refusal: "frozen" });
      else desk.submit(request);
    },
    linkOpened(atMs) {
      nowMs = atMs;
      disconnect();
      open = true;
      sync.connected();
      meeting.begin();
      flush();
    },
    linkClosed(atMs) {
      nowMs = atMs;
      disconnect();
    },
    received(bytes, atMs) {
      nowMs = atMs;
      const envelope = decodeEnvelope(bytes);
      if (envelope === undefined) {
        effects.note("error", "the other node sent what is no envelope of this protocol", {
          bytes: bytes.length,
        });
        effects.resetLink("a malformed envelope arrived");
        return;
      }
      meeting.epochHeard(envelope.head.epoch);
      ledger.raiseEpoch(envelope.head.epoch);
      inbox.push(envelope);
    },
    tick(atMs) {
      nowMs = atMs;
      judge();
      probeDisk();
      // Under a name the other node was not told, neither positions nor digests could ever be compared.
      if (meeting.toldOrigin !== undefined && meeting.toldOrigin !== ledger.origin)
        effects.resetLink("this node's changes have a new origin");
      meeting.tick();
      compareDigests();
      withRoom(removeTombstones, () => {
        desk.full = true;
      });
      if (open && nowMs - lastSentMs >= settings.keepAliveMs) send(head());
      else flushNews();
    },
    work(atMs) {
      nowMs = atMs;
      workInbox();
      judge();
      // What answers the other node must not wait for a commit of our own.
      flushNews();
      const moreRequests = desk.run();
      const morePump = stream.pump();
      const moreRefill = refill.work(bufferedBytes());
      let moreRepair = false;
      withRoom(
        () => {
          moreRepair = repair.work(bufferedBytes());
        },
        () => {
          desk.full = true;
        },
      );
      flushNews();
      return moreRequests || morePump || moreRefill || moreRepair || inbox.waiting > 0;
    },
    setServing(next, atMs) {
      nowMs = atMs;
      if (next === undefined) {
        const outOfStep = serving !== undefined && !sync.joined && nowMs - sync.heardMs < recentlyHeardMs;
        serving = undefined;
        desk.refuseAll("notActive");
        if (outOfStep) {
          verified = false;
          // Only a meeting verifies, and a connection that outlived the split would never bring one.
          if (open) effects.resetLink("this node stopped serving while out of step");
        }
      } else {
        if (serving?.epoch !== next.epoch) sync.beginTenure();
        serving = next;
        ledger.raiseEpoch(next.epoch);
      }
      judge();
      flushNews();
    },
    freeze(id, freezeMs, atMs) {
      nowMs = atMs;
      freeze.begin(id, freezeMs, nowMs, acting() !== undefined && sync.joined && sync.waits);
      judge();
      flush();
    },
    unfreeze: () => freeze.end(),
    importRows(rows, atMs) {
      nowMs = atMs;
      return desk.importRows(rows);
    },
    snapshotCopied(bytes) {
      refill.copied(bytes);
    },
    forgetPeer(atMs) {
      nowMs = atMs;
      if (open) return { ok: false, message: "the other node is connected: it is not gone" };
      ledger.setIntents({ peerForgotten: true, mustRefill: "" });
      verified = true;
      return {
        ok: true,
        message: "the other node is forgotten; when it comes back it is refilled from this one",
      };
    },
    report,
    status(atMs) {
      const reported = report(atMs);
      const { running, ended, bytes } = store.size();
      return {
        ...reported,
        waitingFor: waitingFor({
          ...reported,
          open,
          acting: acting() !== undefined,
          transfer: refill.transfer,
          repairing: repair.running,
          full: desk.full,
          peerRefuses: sync.head?.refuses === true,
          peerForgotten: ledger.peerForgotten,
        }),
        database: ledger.mustRefill === "" ? "open" : "lost",
        running,
        ended,
        bytes,
        problem:
          ledger.mustRefill ||
          (desk.full ? "the disk is full: no new session can be made durable" : undefined),
        unconfirmed: unconfirmed(),
        transfer: refill.transfer,
        vector: shortVectorText(ledger.vector()),
        digest: sumText(ledger.digest),
        waits: sync.waits,
      };
    },
  };
}
