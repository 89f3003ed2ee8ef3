/**
 * The arbiter itself: answers one question at a time, remembers what it holds, and looks into etcd every second while it
 * holds nothing, so that the time of a dead holder is known to have run when the question comes.
 */

import type { Arbiter, Clock, Log, NodeIdentity, Ruling } from "@understudy/core/public";
import { etcdError } from "./errors.js";
import { etcdGrants, type Lease, type Limits } from "./grants.js";
import { judge } from "./judge.js";
import { etcdMembers } from "./members.js";
import { oneLine } from "./one-call.js";
import type { EtcdOptions } from "./options.js";
import { keysOf, type Snapshot } from "./record.js";
import { makeSightings } from "./sightings.js";

/** The core gives a question 5 s and a release 2 s; an answer in time is better than none. */
const askMs = 4500;
const releaseMs = 1800;
const mostAttempts = 4;

/**
 * What is left out of a grant, because clocks do not run equally fast: the part by which this machine's may be slower than
 * the other node's or that of etcd's leader. chrony slews by up to 8.3 % (chrony.conf, maxslewrate).
 */
const clockRateMargin = 0.1;

interface Held {
  readonly epoch: number;
  readonly lease: Lease;
  readonly untilMs: number;
  /** As this node wrote it; read anew when anything was unclear since. */
  readonly snapshot: Snapshot | undefined;
}

export function etcdArbiter(options: EtcdOptions, node: NodeIdentity, clock: Clock, log: Log): Arbiter {
  const now = () => clock.nowMs();
  const sightings = makeSightings();
  const members = etcdMembers(options, clock, log, () => sightings.forget());
  const keys = keysOf(options.prefix, node.cluster);
  const grants = etcdGrants(members, keys, now);
  const wantedTtlMs = options.ttlSeconds * 1000;
  /** The longest grant known of: etcd may grant longer than was asked for, to the other node too. */
  let longestTtlMs = wantedTtlMs;
  const stopping = new AbortController();
  let asking: { readonly abort: AbortController; readonly done: Promise<unknown> } | undefined;
  let held: Held | undefined;
  let last = "not asked yet";
  let watching: Promise<void> | undefined;

  const holding = () => held !== undefined && held.untilMs > now();

  async function look(limits: Limits): Promise<Snapshot> {
    const snapshot = await grants.read(limits);
    sightings.note(snapshot, now());
    longestTtlMs = Math.max(longestTtlMs, snapshot.record?.value.ttlMs ?? 0);
    return snapshot;
  }

  /** The lease that we have, prolonged, or a new one. */
  async function leased(limits: Limits): Promise<Lease> {
    const prolonged = held === undefined ? undefined : await grants.prolong(held.lease, limits);
    return prolonged ?? (await grants.newLease(options.ttlSeconds, limits));
  }

  async function decide(epoch: number, limits: Limits): Promise<Ruling> {
    let lease: Lease | undefined;
    for (let attempt = 0; attempt < mostAttempts; attempt += 1) {
      // What we wrote last still stands unless somebody wrote since, and then the transaction changes nothing.
      const ours = attempt === 0 && held?.epoch === epoch ? held.snapshot : undefined;
      const before = ours ?? (await look(limits));
      const unchangedMs = sightings.unchangedMs(now());
      const judgement = judge(before, {
        node: node.name,
        epoch,
        unchangedMs,
        ttlMs: longestTtlMs,
        holding: holding(),
      });
      if (judgement.kind === "denied") return denied(judgement);
      lease ??= await leased(limits);
      const record = { epoch, node: node.name, ttlMs: lease.ttlMs, released: false };
      const written = await grants.take(before, record, lease, limits);
      if (written.kind === "written") return granted(epoch, lease, written.snapshot);
      if (written.kind === "lease-gone") {
        lease = undefined;
        if (held !== undefined) held = { ...held, lease: await grants.newLease(options.ttlSeconds, limits) };
      }
    }
    return { verdict: "unknown", why: "what stands in etcd changed under each of our attempts" };
  }

  function granted(epoch: number, lease: Lease, snapshot: Snapshot): Ruling {
    const untilMs = lease.sentMs + lease.ttlMs * (1 - clockRateMargin);
    held = { epoch, lease, untilMs, snapshot };
    sightings.note(snapshot, now());
    if (untilMs <= now())
      return { verdict: "unknown", why: "etcd granted it, and answered when the grant was over already" };
    return { verdict: "granted", why: `etcd granted epoch ${epoch} to this node`, untilMs };
  }

  function denied({
    why,
    seenEpoch,
  }: {
    readonly why: string;
    readonly seenEpoch: number | undefined;
  }): Ruling {
    return {
      verdict: "denied",
      why: `etcd: ${oneLine(why, 300)}`,
      ...(seenEpoch === undefined ? {} : { seenEpoch }),
    };
  }

  function unclear(error: unknown): Ruling {
    // A write may have been carried out although its answer was lost: read before the next one.
    if (held !== undefined) held = { ...held, snapshot: undefined };
    const reason = error instanceof Error ? error.message : String(error);
    return { verdict: "unknown", why: `etcd granted nothing: ${oneLine(reason, 450)}` };
  }

  async function giveBack(epoch: number, limits: Limits): Promise<void> {
    for (let attempt = 0; attempt < mostAttempts; attempt += 1) {
      const before = await look(limits);
      const record = before.record?.value;
      if (record === undefined || record.node !== node.name || record.epoch !== epoch || record.released)
        return;
      const written = await grants.giveBack(before, { ...record, released: true }, limits);
      if (written.kind === "written") return;
    }
    throw new Error("what stands in etcd changed under each of our attempts");
  }

  /** Sees the record while nobody asks; says once when etcd cannot be asked, and once when it can be again. */
  async function watch(): Promise<void> {
    const everyMs = Math.min(1000, wantedTtlMs / 5);
    let reached = true;
    while (!stopping.signal.aborted) {
      if (!holding() && asking === undefined) {
        const deadlineMs = now() + options.requestTimeoutMs * options.endpoints.length;
        try {
          await look({ deadlineMs, signal: stopping.signal });
          if (!reached) log.info({}, "etcd answers again");
          reached = true;
        } catch (error) {
          if (reached && !stopping.signal.aborted)
            log.warn({ error }, "etcd does not answer: it would grant nothing now");
          reached = false;
        }
      }
      await pause(everyMs, stopping.signal);
    }
  }

  /** One question or release at a time; what is under way is ended first. */
  async function alone<T>(signal: AbortSignal, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const before = asking;
    before?.abort.abort();
    const abort = new AbortController();
    const run = async () => {
      await before?.done;
      return work(AbortSignal.any([signal, abort.signal, stopping.signal]));
    };
    const result = run();
    const mine = { abort, done: result.catch(() => undefined) };
    asking = mine;
    try {
      return await result;
    } finally {
      if (asking === mine) asking = undefined;
    }
  }

  return {
    async start() {
      await members.open();
      watching = watch();
    },
    async ask(epoch, signal) {
      const deadlineMs = now() + askMs;
      const ruling = await alone(signal, (wanted) => decide(epoch, { deadlineMs, signal: wanted })).catch(
        unclear,
      );
      last =
        ruling.verdict === "granted" ? `granted with epoch ${epoch}` : `${ruling.verdict}, ${ruling.why}`;
      return ruling;
    },
    async release(epoch) {
      const lease = held?.epoch === epoch ? held.lease : undefined;
      if (held?.epoch === epoch) held = undefined;
      const limits = (signal: AbortSignal) => ({ deadlineMs: now() + releaseMs, signal });
      try {
        await alone(AbortSignal.timeout(releaseMs), async (signal) => {
          await giveBack(epoch, limits(signal));
          if (lease !== undefined) await grants.revoke(lease, limits(signal));
        });
      } catch (error) {
        const reason = oneLine(error instanceof Error ? error.message : String(error), 300);
        throw etcdError(
          "ETCD_NOT_RELEASED",
          `the grant of epoch ${epoch} was not given back to etcd: ${reason}`,
        );
      }
      last = `gave epoch ${epoch} back`;
    },
    async stop() {
      stopping.abort();
      await Promise.allSettled([watching, asking?.done]);
      members.close();
    },
    describe() {
      const at = `${members.lastAnswered ?? options.endpoints.join(", ")}, ${keys.holder}`;
      const state =
        holding() && held ? `granted for ${Math.round(held.untilMs - now())} ms, epoch ${held.epoch}` : last;
      return oneLine(`etcd at ${at}: ${state}`, 200);
    },
  };
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(done, ms);
    timer.unref();
    function done() {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    }
    signal.addEventListener("abort", done);
  });
}
