/**
 * Asks the arbiters for pulse (rules R13, R30): each by itself, never twice at once, with an end to every question. What
 * they say goes to pulse as it is; nothing is decided here, and no grant is forgotten that has to go back.
 */

import { mostEpoch } from "../failover/epochs.js";
import type { Arbiter, Ruling } from "../plugin/contract.js";
import { startPlugin, stopPlugin } from "../plugin/start-stop.js";
import type { Clock, Log } from "../plugin/tokens.js";
import { bounded } from "./bounded.js";
import type { Named } from "./parts.js";

export interface NamedArbiter extends Named<Arbiter> {
  readonly exclusive: boolean;
}

/** A ruling with whom and what it is about, as pulse is told of it. */
export interface Ruled extends Ruling {
  readonly name: string;
  readonly epoch: number;
}

export interface ArbiterStatus {
  readonly name: string;
  readonly exclusive: boolean;
  readonly description: string;
  /** What it said last, undefined before the first question. */
  readonly verdict: Ruling["verdict"] | undefined;
  readonly why: string | undefined;
  /** Milliseconds since it said so. */
  readonly saidMsAgo: number | undefined;
  /** Why it did not start, one sentence. */
  readonly problem: string | undefined;
}

export interface Arbiters {
  /** Never rejects: one that does not start is asked all the same, and what it does not grant is not granted. */
  start(): Promise<void>;
  ask(epoch: number, names: readonly string[]): void;
  /** Ends the questions under way, then gives every grant back. Never rejects. */
  release(epoch: number): Promise<void>;
  statuses(): readonly ArbiterStatus[];
  stop(): Promise<void>;
}

export interface ArbiterOptions {
  readonly arbiters: readonly NamedArbiter[];
  readonly clock: Clock;
  readonly log: Log;
  /** To pulse. */
  ruled(ruling: Ruled): void;
  /** Status may show something else. */
  changed(): void;
}

const startLimitMs = 10_000;
const askLimitMs = 5000;
const releaseLimitMs = 2000;
const stopLimitMs = 5000;

export function createArbiters(options: ArbiterOptions): Arbiters {
  const desks = options.arbiters.map((named) => createDesk(named, options));
  return {
    start: async () => void (await Promise.all(desks.map((desk) => desk.start()))),
    ask(epoch, names) {
      for (const desk of desks) if (names.includes(desk.name)) desk.ask(epoch);
    },
    release: async (epoch) => void (await Promise.all(desks.map((desk) => desk.release(epoch)))),
    statuses: () => desks.map((desk) => desk.status()),
    stop: async () => void (await Promise.all(desks.map((desk) => desk.stop()))),
  };
}

interface Question {
  readonly epoch: number;
  readonly abort: AbortController;
  /** Settles when the plugin has let go, which may be long after its time was over. */
  readonly ended: Promise<void>;
}

/** One arbiter and what it is busy with. */
function createDesk({ name, plugin: arbiter, exclusive }: NamedArbiter, options: ArbiterOptions) {
  const { clock, log } = options;
  let started: Promise<void> | undefined;
  let problem: string | undefined;
  let question: Question | undefined;
  /** The time of the question is over, and the plugin has not let go of it. */
  let overdue = false;
  /** To be asked as soon as nothing else is under way. */
  let wanted: number | undefined;
  let releasing: Promise<void> = Promise.resolve();
  let releases = 0;
  let stopped = false;
  /** Epochs that the granter may have granted to us. */
  const held = new Set<number>();
  let last: { readonly ruling: Ruling; readonly atMs: number } | undefined;

  function say(epoch: number, ruling: Ruling): void {
    if (last?.ruling.verdict !== ruling.verdict || last.ruling.why !== ruling.why) options.changed();
    last = { ruling, atMs: clock.nowMs() };
    options.ruled({ ...ruling, name, epoch });
  }

  async function put(epoch: number): Promise<void> {
    const abort = new AbortController();
    const call = settled(async () => await arbiter.ask(epoch, abort.signal));
    const mine: Question = { epoch, abort, ended: call.then(() => {}) };
    question = mine;
    if (exclusive) held.add(epoch);
    const answer = await bounded(() => call, askLimitMs);
    // Called off: another question or a release is what counts now.
    const calledOff = abort.signal.aborted;
    abort.abort();
    overdue = answer.kind === "late";
    const ruling = answer.kind === "done" ? readRuling(answer.value, exclusive) : unknown(answer.reason);
    if (ruling.verdict === "denied") held.delete(epoch);
    if (!calledOff || ruling.verdict === "granted") say(epoch, ruling);
    await mine.ended;
    overdue = false;
    question = undefined;
    next();
  }

  function next(): void {
    const epoch = wanted;
    wanted = undefined;
    if (epoch !== undefined) ask(epoch);
  }

  function ask(epoch: number): void {
    if (stopped) return;
    if (releases > 0 || started === undefined) {
      wanted = epoch;
    } else if (question === undefined) {
      void put(epoch);
    } else if (overdue) {
      say(epoch, unknown("it has not ended the question before, whose time is over"));
    } else if (question.epoch !== epoch) {
      wanted = epoch;
      question.abort.abort();
    }
  }

  async function giveBack(epoch: number): Promise<void> {
    const under = question;
    under?.abort.abort();
    if (under !== undefined) await bounded(() => under.ended, releaseLimitMs);
    const epochs = held.size === 0 ? [epoch] : [...held];
    held.clear();
    for (const each of epochs) {
      const result = await bounded(async () => await arbiter.release?.(each), releaseLimitMs);
      if (result.kind !== "done")
        log.warn({ arbiter: name, epoch: each, reason: result.reason }, "a grant could not be given back");
    }
  }

  return {
    name,
    async start(): Promise<void> {
      const trouble = await startPlugin(() => arbiter.start(), startLimitMs);
      started = Promise.resolve();
      if (trouble !== undefined) {
        problem = `it did not start: ${trouble.reason}`;
        log.error({ arbiter: name, ...trouble }, "an arbiter did not start");
        options.changed();
      }
      next();
    },
    ask,
    async release(epoch: number): Promise<void> {
      wanted = undefined;
      if (!exclusive || arbiter.release === undefined) return;
      releases += 1;
      releasing = releasing.then(() => giveBack(epoch));
      await releasing;
      releases -= 1;
      if (releases === 0) next();
    },
    status: (): ArbiterStatus => ({
      name,
      exclusive,
      description: describe(arbiter),
      verdict: last?.ruling.verdict,
      why: last?.ruling.why,
      saidMsAgo: last === undefined ? undefined : clock.nowMs() - last.atMs,
      problem,
    }),
    async stop(): Promise<void> {
      await releasing;
      stopped = true;
      wanted = undefined;
      question?.abort.abort();
      const trouble = await stopPlugin(() => arbiter.stop(), stopLimitMs);
      if (trouble !== undefined) log.warn({ arbiter: name, ...trouble }, "an arbiter did not stop");
    },
  };
}

function unknown(why: string): Ruling {
  return { verdict: "unknown", why };
}

/** A promise that always fulfils, also for a plugin that throws at once. */
async function settled(work: () => Promise<Ruling>): Promise<unknown> {
  try {
    return await work();
  } catch (error) {
    return unknown(error instanceof Error ? error.message : String(error));
  }
}

/** What comes from a plugin is looked at before anything is built on it: a grant without an end would be one for ever. */
export function readRuling(said: unknown, exclusive: boolean): Ruling {
  if (typeof said !== "object" || said === null) return unknown("it answered with nothing that is a ruling");
  const { verdict, why, untilMs, seenEpoch } = said as Partial<Record<keyof Ruling, unknown>>;
  if (verdict !== "granted" && verdict !== "denied" && verdict !== "unknown")
    return unknown(`it answered with the verdict ${String(verdict)}, which there is not`);
  // The epoch of a grant is this node's own: to claim above that would ask for a higher one again and again.
  const others = verdict !== "granted" && typeof seenEpoch === "number";
  const seen = others && Number.isInteger(seenEpoch) && seenEpoch > 0 && seenEpoch <= mostEpoch;
  const ruling: Ruling = {
    verdict,
    why:
      typeof why === "string" && why !== ""
        ? why.replaceAll(/\s+/g, " ").slice(0, 500)
        : "it did not say why",
    ...(exclusive && seen ? { seenEpoch } : {}),
  };
  if (!exclusive || verdict !== "granted") return ruling;
  if (typeof untilMs !== "number" || !Number.isFinite(untilMs))
    return { ...ruling, verdict: "unknown", why: `it granted without an end: ${ruling.why}` };
  return { ...ruling, untilMs };
}

function describe(arbiter: Arbiter): string {
  try {
    return arbiter.describe();
  } catch (error) {
    return `(no description: ${error instanceof Error ? error.message : String(error)})`;
  }
}
