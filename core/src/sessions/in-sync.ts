/**
 * Rule R20: who may acknowledge alone, and who may believe itself in sync. One object for both roles, because a node
 * changes role in the middle of everything.
 *
 * Why a standby that believes itself in sync is. The active *promises*, in the head of an envelope that echoes the time
 * `t` of the standby's last envelope it has worked off: everything I ever acknowledged was sent to you before this, and
 * I acknowledge nothing alone within `soloAfterMs` of having heard what you sent at `t`. The standby works envelopes
 * off in order, so with the promise it has, durably, all that was acknowledged before; and what is acknowledged later
 * waits for its confirmation. It believes until `t + staleAfterMs` by its own clock. The active heard `t` no earlier
 * than it was sent, so it stays bound until at least `t + soloAfterMs`, and `staleAfterMs` is shorter: however long an
 * envelope was on its way, the belief ends first. Only the rates of two clocks take part, never their readings.
 *
 * The ways out of waiting are each safe for a reason of its own:
 * - silence of `soloAfterMs`: the belief has ended, by the above;
 * - the standby refuses: it has stopped believing, and believes nothing on this connection any more. This needs no disk:
 *   a node that restarts believes nothing until it is promised something anew;
 * - the standby says that it does not believe, having worked off the last promise: only a new promise could change that;
 * - this node has just claimed: it promised nothing within `soloAfterMs`, and the other node, an active of a lower epoch,
 *   was promised nothing by it since; that node's own belief is about its own stream, and it is refused by its epoch.
 *
 * When a clock stands still while its machine is paused, the belief can outlive its truth by what was left of it after
 * the resume, until the first envelope arrives. It decides nothing alone: failback asks both nodes and compares vectors.
 */

import type { Head } from "./messages.js";

export interface SyncTimes {
  readonly staleAfterMs: number;
  readonly soloAfterMs: number;
}

/** A live peer confirms a new epoch within a round trip; one unheard for so long may be dead. */
const claimGraceMs = 30;

export interface Sync {
  /** Acknowledgements wait for the other node. */
  readonly waits: boolean;
  readonly heardMs: number;
  /** Of this connection. */
  readonly head: Head | undefined;
  /** What the next envelope may say; `noteSent` must follow. Nothing is promised to a node that knows a lower epoch. */
  promises(own: { readonly serving: boolean; readonly epoch: number }): boolean;
  noteSent(head: Head): void;
  connected(): void;
  disconnected(): void;
  /** An envelope was worked off: all its changes are durable. */
  workedOff(head: Head, nowMs: number, own: { readonly serving: boolean; readonly epoch: number }): void;
  /** This node begins to serve: what the other believed before was not about it. */
  beginTenure(): void;
  /** Everything is exchanged both ways and the stream runs: from now on acknowledgements wait. */
  join(): void;
  /** Exchanging anew on the same connection. */
  part(): void;
  /** Returns true when this node may acknowledge alone from now on. */
  leaves(nowMs: number, servingEpoch: number | undefined): boolean;
  readonly joined: boolean;
  /** This node cannot make changes durable: it believes nothing more on this connection. */
  refuse(): void;
  readonly refuses: boolean;
  forgetBelief(): void;
  believes(nowMs: number): boolean;
}

export function createSync(times: SyncTimes, startMs: number): Sync {
  let waits = true;
  let joined = false;
  let heardMs = startMs;
  let head: Head | undefined;
  /** When the last promise and the first since the last join were sent. */
  let lastPromiseMs = Number.NEGATIVE_INFINITY;
  let firstPromiseMs: number | undefined;
  /** The standby said that it does not believe: promise nothing until that is settled one way or the other. */
  let holdsBack = false;
  let refuses = false;
  let believedUntilMs = Number.NEGATIVE_INFINITY;

  function denied(): boolean {
    if (head === undefined || head.believes) {
      holdsBack = false;
      return false;
    }
    if (head.echoMs >= lastPromiseMs) return true;
    holdsBack = firstPromiseMs !== undefined && head.echoMs >= firstPromiseMs;
    return false;
  }

  return {
    get waits() {
      return waits;
    },
    get joined() {
      return joined;
    },
    get heardMs() {
      return heardMs;
    },
    get head() {
      return head;
    },
    get refuses() {
      return refuses;
    },
    promises(own) {
      if (!joined || !waits || holdsBack || refuses || head === undefined) return false;
      return head.epoch >= own.epoch && (own.serving || !head.serving);
    },
    noteSent(sent) {
      if (!sent.promises) return;
      lastPromiseMs = sent.sentMs;
      firstPromiseMs ??= sent.sentMs;
    },
    connected() {
      head = undefined;
      joined = false;
      refuses = false;
    },
    disconnected() {
      head = undefined;
      joined = false;
    },
    workedOff(arrived, nowMs, own) {
      head = arrived;
      heardMs = nowMs;
      if (!arrived.promises || own.serving || refuses || arrived.epoch < own.epoch) {
        believedUntilMs = Number.NEGATIVE_INFINITY;
      } else if (arrived.echoMs > 0) {
        believedUntilMs = Math.max(believedUntilMs, arrived.echoMs + times.staleAfterMs);
      }
    },
    beginTenure() {
      // Nothing was promised yet that could have been denied: held back any longer, nothing ever would be.
      firstPromiseMs = undefined;
      holdsBack = false;
      believedUntilMs = Number.NEGATIVE_INFINITY;
    },
    join() {
      if (!joined) {
        firstPromiseMs = undefined;
        holdsBack = false;
      }
      joined = true;
      waits = true;
    },
    part() {
      joined = false;
    },
    leaves(nowMs, servingEpoch) {
      if (!waits) return false;
      const silent = nowMs - heardMs >= times.soloAfterMs;
      // Before the first join there is no promise to be denied: then "not yet" and "no more" are the same to a writer.
      const deniedNow = joined && firstPromiseMs === undefined ? false : denied();
      const justClaimed =
        servingEpoch !== undefined &&
        (head === undefined || head.epoch < servingEpoch) &&
        nowMs - Math.max(lastPromiseMs, startMs) >= times.soloAfterMs &&
        nowMs - heardMs >= claimGraceMs;
      if (!silent && !deniedNow && !justClaimed && head?.refuses !== true) return false;
      waits = false;
      joined = false;
      holdsBack = false;
      return true;
    },
    refuse() {
      refuses = true;
      believedUntilMs = Number.NEGATIVE_INFINITY;
    },
    forgetBelief() {
      believedUntilMs = Number.NEGATIVE_INFINITY;
    },
    believes: (nowMs) => !refuses && nowMs < believedUntilMs,
  };
}
