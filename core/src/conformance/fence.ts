/**
 * What every fence must show, as tests of node:test: it confirms only what is so, ends when it is told to, and looking
 * whether it could be used changes nothing.
 */

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import type { Fence, Fenced } from "../plugin/contract.js";
import { noteSuite } from "./suites-run.js";
import { within } from "./until.js";

export interface FenceFixture {
  /** Not started. */
  readonly fence: Fence;
  /** Asks the world, not the plugin, whether the other machine answers nobody any more, or has been off since it was made. */
  switchedOff(): boolean | Promise<boolean>;
  /** From now on the device refuses everything: a wrong password, a plug that is not there. */
  refuse(): void | Promise<void>;
  /** From now on the device takes what it is told and never answers. */
  hang(): void | Promise<void>;
  heal(): void | Promise<void>;
  dispose(): void | Promise<void>;
}

export interface FenceSuite {
  readonly name: string;
  /** Whether it has a `check`. */
  readonly checks: boolean;
  /** The other machine is on. */
  make(): Promise<FenceFixture>;
}

/** What the core gives a fence, shortened: a device of a test answers sooner. */
const fenceMs = 30_000;
const checkMs = 30_000;
/** An abort has to end what was started for it too: a second for SIGTERM, a little for SIGKILL, and a busy machine. */
const abortedMs = 5000;

type Work = (fixture: FenceFixture) => Promise<void>;

export const fenceTests: readonly (readonly [string, Work])[] = [
  ["it confirms when the other machine is off, and not before", confirms],
  ["fired again at a machine that is off, it confirms again", confirmsAgain],
  ["what the device refuses is not confirmed", refused],
  ["a device that never answers confirms nothing, and an abort ends the wait", hangs],
  ["an attempt that is aborted before it begins settles and confirms nothing", abortedBefore],
  ["an attempt that is aborted before it begins switches nothing off", abortedSwitchesNothing],
  ["after a failure it can be fired again", comesBack],
  ["a stop ends an attempt that is under way", stopsWhileFiring],
  ["it stops without a start, and twice", stopsUnstarted],
  ["starting and stopping switch nothing off", switchesNothing],
  ["what it says of itself is one line, in every state", oneLine],
];
const checkTests: readonly (readonly [string, Work])[] = [
  ["a check finds nothing wrong where nothing is, and switches nothing", checksWell],
  ["a check says in one sentence what is wrong, and switches nothing", checksIll],
  ["a check of a device that never answers ends when it is aborted", checkObeys],
];

export function fenceConformance(suite: FenceSuite): void {
  noteSuite("fence");
  describe(`${suite.name} is a fence`, () => {
    for (const [what, work] of [...fenceTests, ...(suite.checks ? checkTests : [])])
      test(what, () => useFence(suite, work));
  });
}

export async function useFence(suite: FenceSuite, work: Work): Promise<void> {
  const fixture = await suite.make();
  try {
    const has = fixture.fence.check !== undefined;
    assert.equal(
      has,
      suite.checks,
      `the suite says checks: ${suite.checks}, and it has ${has ? "a" : "no"} check`,
    );
    await work(fixture);
  } finally {
    await within("stop", Promise.allSettled([fixture.fence.stop()]), stopMs);
    await fixture.dispose();
  }
}

const stopMs = 5000;

async function started({ fence }: FenceFixture): Promise<void> {
  await within("start", fence.start(), 10_000);
}

/** As the core fires it: a rejection is `unknown`. */
async function fired({ fence }: FenceFixture, signal?: AbortSignal): Promise<Fenced> {
  const attempt = fence
    .fence(signal ?? new AbortController().signal)
    .catch((error: unknown): Fenced => ({ outcome: "unknown", detail: String(error) }));
  const fenced = await within("an attempt", attempt, fenceMs);
  assert.ok(["confirmed", "refused", "unknown"].includes(fenced.outcome), fenced.outcome);
  assert.ok(!fenced.detail.includes("\n") && fenced.detail.length <= 500, fenced.detail);
  return fenced;
}

async function confirms(fixture: FenceFixture): Promise<void> {
  await started(fixture);
  assert.equal(await fixture.switchedOff(), false, "nothing is switched off by a start");
  const { outcome, detail } = await fired(fixture);
  assert.equal(outcome, "confirmed", detail);
  assert.equal(await fixture.switchedOff(), true, "it said confirmed");
}

/** The core has called it off, since the other node is back or somebody else has fenced it: it must not be hit now. */
async function abortedSwitchesNothing(fixture: FenceFixture): Promise<void> {
  await started(fixture);
  const { outcome } = await within("an attempt", fired(fixture, AbortSignal.abort()), abortedMs);
  assert.notEqual(outcome, "confirmed");
  await pause(200);
  assert.equal(await fixture.switchedOff(), false, "it was called off before it began");
}

async function switchesNothing(fixture: FenceFixture): Promise<void> {
  await started(fixture);
  await within("stop", fixture.fence.stop(), stopMs);
  assert.equal(await fixture.switchedOff(), false);
}

async function confirmsAgain(fixture: FenceFixture): Promise<void> {
  await started(fixture);
  for (let count = 0; count < 2; count += 1) {
    const { outcome, detail } = await fired(fixture);
    assert.equal(outcome, "confirmed", detail);
  }
  assert.equal(await fixture.switchedOff(), true);
}

async function refused(fixture: FenceFixture): Promise<void> {
  await started(fixture);
  await fixture.refuse();
  const { outcome, detail } = await fired(fixture);
  assert.notEqual(outcome, "confirmed");
  assert.notEqual(detail, "", "a failure says why");
}

async function hangs(fixture: FenceFixture): Promise<void> {
  await started(fixture);
  await fixture.hang();
  const abort = new AbortController();
  const attempt = fired(fixture, abort.signal);
  abort.abort();
  const { outcome } = await within("an aborted attempt", attempt, abortedMs);
  assert.notEqual(outcome, "confirmed");
}

async function abortedBefore(fixture: FenceFixture): Promise<void> {
  await started(fixture);
  await fixture.hang();
  const { outcome } = await within("an attempt", fired(fixture, AbortSignal.abort()), abortedMs);
  assert.notEqual(outcome, "confirmed");
}

async function comesBack(fixture: FenceFixture): Promise<void> {
  await started(fixture);
  await fixture.refuse();
  assert.notEqual((await fired(fixture)).outcome, "confirmed");
  await fixture.heal();
  const { outcome, detail } = await fired(fixture);
  assert.equal(outcome, "confirmed", detail);
}

async function stopsWhileFiring(fixture: FenceFixture): Promise<void> {
  await started(fixture);
  await fixture.hang();
  const attempt = fired(fixture);
  await within("stop", fixture.fence.stop(), 5000);
  const { outcome } = await within("the attempt that was under way", attempt, abortedMs);
  assert.notEqual(outcome, "confirmed");
}

async function stopsUnstarted({ fence }: FenceFixture): Promise<void> {
  await within("stop without start", fence.stop(), 5000);
  await within("stop again", fence.stop(), 5000);
}

async function checked({ fence }: FenceFixture, signal?: AbortSignal): Promise<string | undefined> {
  assert.ok(fence.check, "the suite says checks, and the plugin has no check");
  const found = fence
    .check(signal ?? new AbortController().signal)
    .catch((error: unknown) => `it failed: ${String(error)}`);
  return await within("a check", found, checkMs);
}

async function checksWell(fixture: FenceFixture): Promise<void> {
  await started(fixture);
  assert.equal(await checked(fixture), undefined);
  assert.equal(await fixture.switchedOff(), false);
}

async function checksIll(fixture: FenceFixture): Promise<void> {
  await started(fixture);
  await fixture.refuse();
  const found = await checked(fixture);
  assert.match(found ?? "", /^\S.*\S$/);
  await fixture.heal();
  assert.equal(await checked(fixture), undefined);
  assert.equal(await fixture.switchedOff(), false);
}

async function checkObeys(fixture: FenceFixture): Promise<void> {
  await started(fixture);
  await fixture.hang();
  const abort = new AbortController();
  const check = checked(fixture, abort.signal);
  abort.abort();
  await within("an aborted check", check, abortedMs);
}

async function oneLine(fixture: FenceFixture): Promise<void> {
  const check = () => {
    const line = fixture.fence.describe();
    assert.match(line, /^\S.*\S$/);
    assert.ok(!line.includes("\n") && line.length <= 200, line);
  };
  check();
  await started(fixture);
  check();
  await fired(fixture);
  check();
  await within("stop", fixture.fence.stop(), 5000);
  check();
}
