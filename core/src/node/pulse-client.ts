/**
 * Node's end of the pipe to pulse: answers its pings from the main thread, brings its wishes to who fulfils them, and
 * remembers what it said last. Connects again for as long as the node runs.
 */

import type { NodeReport, OperatorRequest } from "../failover/event.js";
import { reconnectJsonLines } from "../ipc/json-lines.js";
import type { NodeToPulse, PulseStatus, PulseToNode } from "../ipc/messages.js";
import type { TimelineEntry } from "../plugin/contract.js";
import type { Clock } from "../plugin/tokens.js";
import type { PeerRole } from "./node-link.js";
import type { Permit } from "./permit.js";
import type { Finished } from "./services.js";

/** What pulse asks of this node. */
export interface PulseWishes {
  permit(permit: Permit | undefined): void;
  promote(epoch: number, stale: boolean): Promise<Finished>;
  demote(epoch: number): Promise<Finished>;
  freeze(freezeMs: number): Promise<Finished>;
  unfreeze(): void;
  peerRole(): Promise<PeerRole | undefined>;
  askArbiters(epoch: number, names: readonly string[]): void;
  releaseGrant(epoch: number): void;
  fence(name: string): Promise<Finished>;
  sendFrame(path: string, frame: Uint8Array): void;
  entry(entry: TimelineEntry): void;
  status(status: PulseStatus): void;
  connected(): void;
  /** Pulse is there and says nothing any more, or says something again. */
  silent(silent: boolean): void;
  /** Pulse is gone. What it was, as far as it had said. */
  lost(last: LastWords): void;
}

export interface LastWords {
  /** It held the HA address, was taking it or had not yet confirmed that it gave it up. */
  readonly held: boolean;
  /** The highest epoch it is known to have had then; 0 when it held nothing. */
  readonly epoch: number;
}

export interface PulseClient {
  readonly isConnected: boolean;
  /** What pulse said last; undefined while it is not there. */
  readonly status: PulseStatus | undefined;
  /** Since it said anything, when that is too long for a pulse that runs: what it said last holds no more. */
  readonly silentMs: number | undefined;
  /** As `status`, unless pulse has said nothing for longer than `withinMs`: it tells each change of role at once. */
  freshStatus(withinMs: number): PulseStatus | undefined;
  report(report: NodeReport): void;
  send(message: NodeToPulse): boolean;
  /** As `send`, but dropped when pulse does not read: for what is worth nothing later. */
  passing(message: NodeToPulse): boolean;
  /** Undefined: pulse is not there or did not answer in time. */
  ask(
    request: OperatorRequest,
    limitMs: number,
  ): Promise<{ readonly ok: boolean; readonly message: string } | undefined>;
  close(): void;
}

export interface PulseClientOptions {
  readonly socketPath: string;
  readonly version: string;
  readonly clock: Clock;
  readonly wishes: PulseWishes;
  /** Settles when this node may say hello to a pulse that is back: never while it withdraws for a dead one. */
  ready(): Promise<void>;
}

/** Some two hundred beats. */
const mostWaitingBytes = 64 * 1024;
/** A beat that waited longer, because this process was stopped or busy, would tell of a past. */
const mostFrameAgeMs = 500;
/** It asks five times a second whether this process answers, and its lease ends long before. */
const silentAfterMs = 2000;
const lookEveryMs = 200;
const holdingRoles: readonly string[] = ["claiming", "active", "releasing"];

export function createPulseClient(options: PulseClientOptions): PulseClient {
  const { clock, wishes } = options;
  const asked = new Map<string, (answer: { ok: boolean; message: string } | undefined) => void>();
  let nextRequest = 1;
  let greeted = false;
  let connection = 0;
  let status: PulseStatus | undefined;
  let heardMs = Number.NEGATIVE_INFINITY;
  let lookedMs = clock.nowMs();
  /** As much of it as this process has witnessed: one that stalled has seen little (the thought of rule R10). */
  let silenceMs = 0;
  let silent = false;
  let lastWords: LastWords = { held: false, epoch: 0 };

  function opened(): void {
    const mine = ++connection;
    void options.ready().then(() => {
      if (mine !== connection || !pipe.isOpen) return;
      greeted = true;
      pipe.send({ type: "hello", pid: process.pid, version: options.version });
      wishes.connected();
    });
  }

  /** After a poll pass, so that what has arrived counts first. */
  function look(): void {
    const nowMs = clock.nowMs();
    silenceMs += Math.min(nowMs - lookedMs, 1.5 * lookEveryMs);
    lookedMs = nowMs;
    if (status !== undefined && silenceMs > silentAfterMs) setSilent(true);
  }

  function setSilent(now: boolean): void {
    if (silent === now) return;
    silent = now;
    wishes.silent(now);
  }

  function closed(): void {
    connection += 1;
    greeted = false;
    status = undefined;
    silent = false;
    for (const answer of asked.values()) answer(undefined);
    const last = lastWords;
    lastWords = { held: false, epoch: 0 };
    wishes.lost(last);
  }

  /** A permit or a promotion may come between two statuses: whoever sends one has the address. */
  function holds(epoch: number): void {
    lastWords = { held: true, epoch: Math.max(epoch, lastWords.epoch) };
  }

  function heardStatus(now: PulseStatus): void {
    status = now;
    const held = holdingRoles.includes(now.role);
    lastWords = { held, epoch: held ? now.epoch : 0 };
    wishes.status(now);
  }

  async function fulfil(id: number, work: Promise<Finished>): Promise<void> {
    const { outcome, detail } = await work;
    pipe.send({ type: "finished", id, outcome, ...(detail === "" ? {} : { detail }) });
  }

  async function answerPeerRole(id: number): Promise<void> {
    const role = await wishes.peerRole();
    if (role === undefined) {
      pipe.send({ type: "finished", id, outcome: "unknown", detail: "the other node did not say" });
    } else {
      pipe.send({ type: "peerRole", id, active: role.active, epoch: role.epoch });
    }
  }

  function received(message: PulseToNode): void {
    heardMs = clock.nowMs();
    silenceMs = 0;
    setSilent(false);
    switch (message.type) {
      case "hello":
        return;
      case "unfreeze":
        wishes.unfreeze();
        return;
      case "ping":
        pipe.send({ type: "pong", sequence: message.sequence });
        return;
      case "permit":
        holds(message.epoch);
        wishes.permit({ epoch: message.epoch, untilMs: message.untilMs });
        return;
      case "revoke":
        wishes.permit(undefined);
        return;
      case "promote":
        holds(message.epoch);
        void fulfil(message.id, wishes.promote(message.epoch, message.stale));
        return;
      case "demote":
        void fulfil(message.id, wishes.demote(message.epoch));
        return;
      case "freeze":
        void fulfil(message.id, wishes.freeze(message.freezeMs));
        return;
      case "askPeerRole":
        void answerPeerRole(message.id);
        return;
      case "askArbiters":
        wishes.askArbiters(message.epoch, message.names);
        return;
      case "releaseGrant":
        wishes.releaseGrant(message.epoch);
        return;
      case "fence":
        void fulfil(message.id, wishes.fence(message.name));
        return;
      case "sendFrame":
        if (heardMs - message.atMs <= mostFrameAgeMs)
          wishes.sendFrame(message.path, Buffer.from(message.frame, "base64"));
        return;
      case "timeline":
        wishes.entry(message.entry);
        return;
      case "status":
        heardStatus(message.status);
        return;
      case "operatorAnswer":
        asked.get(message.requestId)?.({ ok: message.ok, message: message.message });
        return;
    }
  }

  const pipe = reconnectJsonLines<PulseToNode, NodeToPulse>({
    path: options.socketPath,
    opened,
    closed,
    message: received,
  });

  const looking = setInterval(() => setImmediate(look), lookEveryMs);

  return {
    get isConnected() {
      return greeted;
    },
    get status() {
      return status;
    },
    get silentMs() {
      return silent ? clock.nowMs() - heardMs : undefined;
    },
    freshStatus: (withinMs) => (clock.nowMs() - heardMs <= withinMs ? status : undefined),
    report(report) {
      if (greeted) pipe.send({ type: "report", report });
    },
    send: (message) => greeted && pipe.send(message),
    passing: (message) => greeted && pipe.bufferedBytes <= mostWaitingBytes && pipe.send(message),
    async ask(request, limitMs) {
      const requestId = `${process.pid}-${nextRequest++}`;
      const answer = Promise.withResolvers<{ ok: boolean; message: string } | undefined>();
      const timer = setTimeout(() => answer.resolve(undefined), limitMs);
      asked.set(requestId, answer.resolve);
      if (!greeted || !pipe.send({ type: "operator", requestId, request })) answer.resolve(undefined);
      return await answer.promise.finally(() => {
        clearTimeout(timer);
        asked.delete(requestId);
      });
    },
    close() {
      clearInterval(looking);
      pipe.close();
    },
  };
}
