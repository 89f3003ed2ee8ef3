/**
 * What two replicas work out between them beside the changes themselves: who has what (hello), when everything was
 * exchanged (caughtUp), who is refilled, and whether two databases that should be equal are (rule R22).
 */

import { type Sum64, same } from "./digest.js";
import type { Freeze } from "./freeze.js";
import { type Hello, needsRefill } from "./hello.js";
import type { Sync } from "./in-sync.js";
import type { Ledger } from "./ledger.js";
import type { Head, Message, Outbox } from "./messages.js";
import type { Refill } from "./refill.js";
import type { Repair } from "./repair.js";
import type { SessionStore } from "./store.js";
import type { Stream } from "./stream.js";
import { positionHash, type VersionVector } from "./version-vector.js";

export interface Meeting {
  /** The other node has sent all it had when it said so. */
  readonly peerCaughtUp: boolean;
  /** Both had every change, and yet their digests differed; until they were seen to be equal. */
  readonly differing: boolean;
  /** "" when it is not known. */
  readonly peerOrigin: string;
  /** What the other node was told that this one is; undefined while there is no connection. */
  readonly toldOrigin: string | undefined;
  /** Says hello. */
  begin(): void;
  over(): void;
  epochHeard(epoch: number): void;
  handle(message: Message, head: Head, nowMs: number): void;
  sayDigest(): void;
  /** Equal on both nodes when both have every change, given that all older ones were exchanged. */
  position(): Sum64;
  tick(): void;
}

export interface MeetingOptions {
  readonly ledger: Ledger;
  readonly store: SessionStore;
  readonly sync: Sync;
  readonly stream: Stream;
  readonly refill: Refill;
  readonly repair: Repair;
  readonly outbox: Outbox;
  readonly freeze: Freeze;
  readonly side: "primary" | "secondary";
  readonly reset: (reason: string) => void;
  readonly renewOrigin: () => void;
  readonly serving: () => boolean;
  readonly verify: (verified: boolean) => void;
  readonly note: (
    level: "info" | "warn" | "error",
    message: string,
    fields: Readonly<Record<string, unknown>>,
  ) => void;
}

/** A difference that repairs do not end is not chased without pause. */
const firstRepairPauseMs = 1000;
const longestRepairPauseMs = 60_000;

export function createMeeting(options: MeetingOptions): Meeting {
  const { ledger, store, sync, stream, refill, repair, outbox, freeze } = options;
  let mine: Hello | undefined;
  let theirs: Hello | undefined;
  let peerCaughtUp = false;
  /** The other node knows an epoch that this one had not heard of: somebody served meanwhile (rule R14). */
  let newerEpochHeard = false;
  let toBeRefilled = false;
  let differing = false;
  let mayRepairMs = 0;
  let repairPauseMs = firstRepairPauseMs;

  function ownHello(): Hello {
    const { running, ended } = store.size();
    return {
      origin: ledger.origin,
      vector: ledger.vector(),
      pruned: ledger.pruned,
      dropped: ledger.dropped,
      rows: running + ended,
      mustRefill: ledger.mustRefill !== "",
    };
  }

  function position(): Sum64 {
    return positionHash(ledger.has, [ledger.origin, theirs?.origin ?? ""]);
  }

  function hello(their: Hello): void {
    if (mine === undefined) return;
    theirs = their;
    if (their.origin.charAt(0) === ledger.origin.charAt(0)) {
      options.reset("both databases say that they are of the same node");
      return;
    }
    if ((their.vector.get(ledger.origin) ?? 0) > ledger.sequence) {
      options.note("warn", "the other node has changes of this node that this node has lost", {
        origin: ledger.origin,
      });
      options.renewOrigin();
    }
    if (ledger.peerForgotten) ledger.setIntents({ peerForgotten: false });
    if (newerEpochHeard) options.verify(false);
    newerEpochHeard = false;
    toBeRefilled = needsRefill(mine, their);
    if (needsRefill(their, mine)) {
      refill.expectToSend();
      options.note("info", "the other node is refilled with a copy of this database", { rows: mine.rows });
    } else {
      stream.start(their.vector);
    }
  }

  function caughtUp(vector: VersionVector): void {
    const news = [...vector].filter(([origin, sequence]) => sequence > ledger.has(origin));
    if (news.length > 0 && !sync.refuses && !toBeRefilled) {
      ledger.begin();
      for (const [origin, sequence] of news) ledger.advance(origin, sequence);
      ledger.commit();
    }
    if (sync.refuses) return;
    for (const [origin, sequence] of vector) stream.peerHas(origin, sequence);
    for (const [origin] of vector) outbox.put({ type: "confirm", origin, through: ledger.has(origin) });
    peerCaughtUp = true;
    if (toBeRefilled || theirs === undefined) return;
    options.verify(true);
    ledger.fold(theirs.origin, stream.confirmed);
  }

  function differs(nowMs: number): void {
    if (repair.running || nowMs < mayRepairMs) return;
    mayRepairMs = nowMs + repairPauseMs;
    repairPauseMs = Math.min(2 * repairPauseMs, longestRepairPauseMs);
    options.note(
      "error",
      "the two databases differ although both have every change; they are compared and mended",
      {},
    );
    repair.begin();
  }

  function digest(message: Extract<Message, { type: "digest" }>, nowMs: number): void {
    if (!peerCaughtUp || !same(message.vector, position())) return;
    if (!same(message.digest, ledger.digest)) {
      differing = true;
      sync.part();
      sync.forgetBelief();
      differs(nowMs);
    } else if (!repair.running) {
      differing = false;
      repairPauseMs = firstRepairPauseMs;
    }
  }

  function endOfCopy(): void {
    const why = refill.receiveEnd(options.serving());
    if (why === undefined)
      options.note("info", "this database was refilled with a copy of the other node's", {});
    else options.note("warn", "a copy of the other node's database was not taken", { why });
    options.reset(why ?? "refilled: only what came since is missing");
  }

  return {
    get peerCaughtUp() {
      return peerCaughtUp;
    },
    position,
    get toldOrigin() {
      return mine?.origin;
    },
    get differing() {
      return differing;
    },
    get peerOrigin() {
      return theirs?.origin ?? "";
    },
    begin() {
      mine = ownHello();
      theirs = undefined;
      peerCaughtUp = false;
      toBeRefilled = false;
      differing = false;
      outbox.put({ type: "hello", hello: mine });
    },
    over() {
      mine = undefined;
      peerCaughtUp = false;
    },
    epochHeard(epoch) {
      if (theirs === undefined && epoch > ledger.epoch) newerEpochHeard = true;
    },
    handle(message, _head, nowMs) {
      switch (message.type) {
        case "hello":
          hello(message.hello);
          break;
        case "caughtUp":
          caughtUp(message.vector);
          break;
        case "confirm":
          if (message.origin === ledger.origin && message.through > ledger.sequence) {
            options.reset("the other node confirmed more than this node has");
          } else {
            stream.confirm(message.origin, message.through);
          }
          break;
        case "digest":
          digest(message, nowMs);
          break;
        case "buckets":
          sync.part();
          sync.forgetBelief();
          repair.receiveSums(message.sums);
          break;
        case "differing":
          repair.receiveDiffering(message.buckets);
          break;
        case "repaired":
          repair.receiveRepaired();
          break;
        case "snapshotBegins":
          refill.receiveBegin(message.bytes, message.vector);
          break;
        case "snapshotChunk":
          refill.receiveChunk(message.bytes);
          break;
        case "snapshotEnds":
          endOfCopy();
          break;
        case "freezeAsked":
          freeze.asked(message.id, message.vector, message.digest);
          break;
        case "freezeAnswered":
          freeze.answered(message.id, message.equal);
          break;
        case "changes":
        case "repairRows":
          break;
      }
    },
    sayDigest() {
      outbox.put({ type: "digest", vector: position(), digest: { ...ledger.digest } });
    },
    tick() {
      if (peerCaughtUp && sync.head?.serving === false) refill.peerIsReady();
    },
  };
}
