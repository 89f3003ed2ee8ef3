/**
 * What every arbiter must show, as tests of node:test: it answers in time, tells apart what it knows from what it does
 * not, obeys an abort, and what it says fits what it is. Exclusive ones must show more: see arbiter-grants.ts.
 */

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Arbiter, Ruling, Side } from "../plugin/contract.js";
import { grantTests } from "./arbiter-grants.js";
import { noteSuite } from "./suites-run.js";
import { until, within } from "./until.js";

export interface ArbiterFixture {
  /**
   * A new instance, not started, as the node on that side makes it: of one pair and one granter. Asked for one side
   * several times it gives what a restarted node process has. The suite stops each.
   */
  of(side: Side): Arbiter;
  /**
   * From now on no answer comes, to either side: packets vanish or nobody listens. What looks at the world and asks
   * nobody (a ping) sees it gone instead.
   */
  cutOff(): void | Promise<void>;
  /** Called only after `cutOff`. */
  heal(): void | Promise<void>;
  /** Called last, after all were stopped, and also while it is cut off. */
  dispose(): void | Promise<void>;
}

export interface ArbiterSuite {
  readonly name: string;
  /** As in definePlugin. */
  readonly exclusive: boolean;
  /**
   * What an ask says after `cutOff`: `unknown` for one that asks a granter, `denied` for one that looks at the world.
   * Default `unknown`.
   */
  readonly whenCutOff?: Ruling["verdict"];
  /** With grants of 1 to 5 s, so that a test can wait for the end of one. Nothing is held by anybody. */
  make(): Promise<ArbiterFixture>;
}

/** What a test gets: the fixture, with instances that are stopped when it ends. */
export interface ArbiterUse {
  readonly suite: ArbiterSuite;
  readonly fixture: ArbiterFixture;
  started(side: Side): Promise<Arbiter>;
  unstarted(side: Side): Arbiter;
}

export type ArbiterTest = readonly [string, (use: ArbiterUse) => Promise<void>];

/** The deadlines of the contract, and a slack, so that a busy machine fails nobody by a few milliseconds. */
const askMs = 5000;
const slackMs = 2000;
const abortedMs = 1000;
const startMs = 10_000;

export const arbiterTests: readonly ArbiterTest[] = [
  ["asked twice it says the same", saysTheSame],
  ["each ruling says why, in one line", saysWhy],
  ["without an answer it says so in time, and grants nothing it cannot know", saysUnknown],
  ["it finds its way back by itself", comesBack],
  ["an abort ends a question at once, and the next one works", obeysAbort],
  ["a question that is aborted before it begins settles", abortedBefore],
  ["a stop ends a question that is under way", stopsWhileAsked],
  ["stopped it grants nothing", grantsNothingStopped],
  ["it stops without a start, and twice", stopsUnstarted],
  ["it starts, or fails to, while nobody answers", startsCutOff],
  ["what it says of itself is one line, in every state", oneLine],
];

export function arbiterConformance(suite: ArbiterSuite): void {
  noteSuite("arbiter");
  describe(`${suite.name} is an arbiter`, () => {
    for (const [what, work] of arbiterTests) test(what, () => useArbiter(suite, work));
  });
  if (!suite.exclusive) return;
  describe(`${suite.name} grants exclusively`, () => {
    for (const [what, work] of grantTests) test(what, () => useArbiter(suite, work));
  });
}

export async function useArbiter(
  suite: ArbiterSuite,
  work: (use: ArbiterUse) => Promise<void>,
): Promise<void> {
  const fixture = await suite.make();
  const made: Arbiter[] = [];
  const unstarted = (side: Side) => {
    const arbiter = fixture.of(side);
    made.push(arbiter);
    return arbiter;
  };
  try {
    await work({
      suite,
      fixture,
      unstarted,
      async started(side) {
        const arbiter = unstarted(side);
        await within("start", arbiter.start(), startMs);
        return arbiter;
      },
    });
  } finally {
    await within("stop", Promise.allSettled(made.map((arbiter) => arbiter.stop())), 5000);
    await fixture.dispose();
  }
}

/** One question as the core asks it: a rejection counts as `unknown`, a deadline must be kept. */
export function asked(
  arbiter: Arbiter,
  epoch: number,
  signal: AbortSignal = new AbortController().signal,
): Promise<Ruling> {
  const ruling = arbiter
    .ask(epoch, signal)
    .catch((error: unknown): Ruling => ({ verdict: "unknown", why: String(error) }));
  return within(`an answer about epoch ${epoch}`, ruling, askMs + slackMs);
}

export function now(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

function fits(suite: ArbiterSuite, ruling: Ruling): void {
  assert.ok(["granted", "denied", "unknown"].includes(ruling.verdict), ruling.verdict);
  if (suite.exclusive && ruling.verdict === "granted") {
    const { untilMs } = ruling;
    assert.ok(
      untilMs !== undefined && Number.isFinite(untilMs),
      "a grant of an exclusive arbiter has an end",
    );
    assert.ok(untilMs > now(), "a grant that has ended already is none");
    assert.ok(untilMs < now() + 300_000, "a grant ends, so that the other node can ever serve");
  }
  if (!suite.exclusive) assert.equal(ruling.untilMs, undefined, "an advisory arbiter grants no time");
}

async function saysTheSame({ suite, started }: ArbiterUse): Promise<void> {
  const arbiter = await started("primary");
  for (const epoch of [1, 1, 1]) {
    const ruling = await asked(arbiter, epoch);
    fits(suite, ruling);
    assert.equal(ruling.verdict, "granted", ruling.why);
  }
}

async function saysWhy({ suite, fixture, started }: ArbiterUse): Promise<void> {
  const arbiter = await started("secondary");
  const check = (ruling: Ruling) => {
    fits(suite, ruling);
    assert.match(ruling.why, /^\S.*\S$/);
    assert.ok(!ruling.why.includes("\n") && ruling.why.length <= 500, ruling.why);
  };
  check(await asked(arbiter, 2));
  await fixture.cutOff();
  check(await asked(arbiter, 2));
}

/** Asks until it says what it should: what was heard just before a cut may still count for a moment. */
async function askedUntil(arbiter: Arbiter, verdict: Ruling["verdict"]): Promise<void> {
  let last: Ruling | undefined;
  await until(`a ruling that is ${verdict}`, async () => {
    last = await asked(arbiter, 1);
    return last.verdict === verdict;
  }).catch((error: unknown) => {
    throw new Error(`the last ruling was ${JSON.stringify(last)}`, { cause: error });
  });
}

async function saysUnknown({ suite, fixture, started }: ArbiterUse): Promise<void> {
  const arbiter = await started("primary");
  await fixture.cutOff();
  const ruling = await asked(arbiter, 1);
  assert.notEqual(ruling.verdict, "granted", "nobody can have said so");
  await askedUntil(arbiter, suite.whenCutOff ?? "unknown");
}

async function comesBack({ suite, fixture, started }: ArbiterUse): Promise<void> {
  const arbiter = await started("primary");
  await fixture.cutOff();
  await askedUntil(arbiter, suite.whenCutOff ?? "unknown");
  await fixture.heal();
  await askedUntil(arbiter, "granted");
}

async function obeysAbort({ fixture, started }: ArbiterUse): Promise<void> {
  const arbiter = await started("primary");
  await fixture.cutOff();
  const abort = new AbortController();
  const ruling = asked(arbiter, 1, abort.signal);
  abort.abort();
  const { verdict } = await within("an aborted question", ruling, abortedMs);
  assert.notEqual(verdict, "granted");
  await fixture.heal();
  await askedUntil(arbiter, "granted");
}

async function abortedBefore({ started }: ArbiterUse): Promise<void> {
  const arbiter = await started("primary");
  await within("a question aborted before", asked(arbiter, 1, AbortSignal.abort()), abortedMs);
  await askedUntil(arbiter, "granted");
}

async function stopsWhileAsked({ fixture, started }: ArbiterUse): Promise<void> {
  const arbiter = await started("primary");
  await fixture.cutOff();
  const ruling = asked(arbiter, 1);
  await within("stop", arbiter.stop(), 5000);
  const { verdict } = await within("the question that was under way", ruling, abortedMs);
  assert.notEqual(verdict, "granted");
}

async function grantsNothingStopped({ started }: ArbiterUse): Promise<void> {
  const arbiter = await started("primary");
  await within("stop", arbiter.stop(), 5000);
  assert.notEqual((await asked(arbiter, 1)).verdict, "granted");
}

async function stopsUnstarted({ unstarted }: ArbiterUse): Promise<void> {
  const arbiter = unstarted("primary");
  await within("stop without start", arbiter.stop(), 5000);
  await within("stop again", arbiter.stop(), 5000);
}

async function startsCutOff({ fixture, unstarted }: ArbiterUse): Promise<void> {
  await fixture.cutOff();
  const arbiter = unstarted("primary");
  // The core gives a start ten seconds; one that fails is no obstacle to the node, and one that hangs is no answer.
  await within("start", Promise.allSettled([arbiter.start()]), 10_000);
  assert.notEqual((await asked(arbiter, 1)).verdict, "granted");
}

async function oneLine({ fixture, unstarted }: ArbiterUse): Promise<void> {
  const arbiter = unstarted("primary");
  const check = () => {
    const line = arbiter.describe();
    assert.match(line, /^\S.*\S$/);
    assert.ok(!line.includes("\n") && line.length <= 200, line);
  };
  check();
  await within("start", arbiter.start(), startMs);
  check();
  await asked(arbiter, 1);
  check();
  await fixture.cutOff();
  await asked(arbiter, 1);
  check();
  await within("stop", arbiter.stop(), 5000);
  check();
}
