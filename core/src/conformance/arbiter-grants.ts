/**
 * What an arbiter must show whose grant is exclusive (rule R30): never two nodes at once, never an epoch below one that
 * was granted, and a grant that ends by release or by time and by nothing else.
 */

import assert from "node:assert/strict";
import { setTimeout as pause } from "node:timers/promises";
import type { Arbiter, Ruling } from "../plugin/contract.js";
import { type ArbiterTest, type ArbiterUse, asked, now } from "./arbiter.js";
import { until, within } from "./until.js";

const releaseMs = 2000;

export const grantTests: readonly ArbiterTest[] = [
  ["what one node holds is denied to the other", deniesTheOther],
  ["asked by both at once it grants at most one", grantsOneOfTwo],
  ["asking again prolongs the grant", prolongs],
  ["a grant that is not prolonged ends, and not a moment before its time", endsByTime],
  ["a release frees the grant at once, and may be repeated", releaseFrees],
  ["nobody releases what another holds", releasesOwnOnly],
  ["a late release of an older epoch frees nothing", releaseOfOlder],
  ["the end of a node process frees nothing, and the next one goes on with the grant", survivesRestart],
  ["epochs never go back, for neither node", epochsNeverGoBack],
  ["the holder may go to a higher epoch", raises],
  ["a question that was aborted never leaves two with a grant", abortLeavesOne],
];

async function granted(arbiter: Arbiter, epoch: number): Promise<Ruling & { readonly untilMs: number }> {
  const ruling = await asked(arbiter, epoch);
  assert.equal(ruling.verdict, "granted", ruling.why);
  assert.ok(ruling.untilMs !== undefined);
  return { ...ruling, untilMs: ruling.untilMs };
}

async function released(arbiter: Arbiter, epoch: number): Promise<void> {
  assert.ok(arbiter.release, "an exclusive arbiter can release");
  await within("release", arbiter.release(epoch), releaseMs);
}

async function refused(arbiter: Arbiter, epoch: number): Promise<Ruling> {
  const ruling = await asked(arbiter, epoch);
  assert.equal(ruling.verdict, "denied", ruling.why);
  return ruling;
}

async function deniesTheOther({ started }: ArbiterUse): Promise<void> {
  const one = await started("primary");
  const two = await started("secondary");
  await granted(one, 3);
  for (const epoch of [2, 4, 6]) await refused(two, epoch);
  await granted(one, 3);
}

async function grantsOneOfTwo({ started }: ArbiterUse): Promise<void> {
  const one = await started("primary");
  const two = await started("secondary");
  for (let epoch = 1; epoch <= 20; epoch += 2) {
    const rulings = await Promise.all([asked(one, epoch), asked(two, epoch + 1)]);
    const holders = rulings.filter(({ verdict }) => verdict === "granted");
    assert.ok(holders.length <= 1, JSON.stringify(rulings));
    await released(one, epoch);
    await released(two, epoch + 1);
  }
}

async function prolongs({ started }: ArbiterUse): Promise<void> {
  const one = await started("primary");
  const first = await granted(one, 1);
  let last = first;
  // Well past the end of the first grant: only the renewals can have kept it.
  while (now() < first.untilMs + 300) {
    await pause(100);
    const next = await granted(one, 1);
    assert.ok(next.untilMs >= last.untilMs - 1, "a renewal takes no time away");
    last = next;
  }
  assert.ok(last.untilMs > first.untilMs);
  await refused(await started("secondary"), 2);
}

async function endsByTime({ started }: ArbiterUse): Promise<void> {
  const one = await started("primary");
  const two = await started("secondary");
  const { untilMs } = await granted(one, 1);
  let grantedAtMs = 0;
  await until("the grant to end", async () => {
    const { verdict } = await asked(two, 2);
    grantedAtMs = now();
    return verdict === "granted";
  });
  assert.ok(grantedAtMs >= untilMs, `granted to another ${untilMs - grantedAtMs} ms before its end`);
  await refused(one, 3);
}

async function releaseFrees({ started }: ArbiterUse): Promise<void> {
  const one = await started("primary");
  const two = await started("secondary");
  const { untilMs } = await granted(one, 1);
  await released(one, 1);
  await granted(two, 2);
  assert.ok(now() < untilMs, "freed by the release, not by time: this test was too slow to tell");
  await released(one, 1);
  await refused(one, 3);
  await released(two, 2);
  await released(two, 2);
  await granted(one, 3);
}

async function releasesOwnOnly({ started }: ArbiterUse): Promise<void> {
  const one = await started("primary");
  const two = await started("secondary");
  await granted(one, 3);
  for (const epoch of [2, 3, 4]) await released(two, epoch);
  await refused(two, 4);
  await granted(one, 3);
}

/** It says that this node serves no more with that epoch, which it left for the newer one: it serves with that. */
async function releaseOfOlder({ started }: ArbiterUse): Promise<void> {
  const one = await started("primary");
  const two = await started("secondary");
  await granted(one, 1);
  const { untilMs } = await granted(one, 3);
  await released(one, 1);
  const ruling = await asked(two, 4);
  if (now() < untilMs) assert.equal(ruling.verdict, "denied", "the other node serves with epoch 3");
}

async function survivesRestart({ started }: ArbiterUse): Promise<void> {
  const before = await started("primary");
  const { untilMs } = await granted(before, 1);
  await within("stop", before.stop(), 5000);
  const two = await started("secondary");
  const ruling = await asked(two, 2);
  if (now() < untilMs) assert.equal(ruling.verdict, "denied", "pulse may still serve: a stop frees nothing");
  await until("the restarted node to have the grant", async () => {
    const after = await started("primary");
    return (await asked(after, 3)).verdict === "granted";
  });
}

async function epochsNeverGoBack({ started }: ArbiterUse): Promise<void> {
  const one = await started("primary");
  const two = await started("secondary");
  await granted(one, 7);
  await refused(one, 5);
  await granted(one, 7);
  await released(one, 7);
  const ruling = await refused(two, 4);
  assert.ok(ruling.seenEpoch === undefined || ruling.seenEpoch === 7, `seen ${ruling.seenEpoch}, not 7`);
  await granted(two, 8);
  await released(two, 8);
  await refused(one, 7);
  await granted(one, 9);
}

async function raises({ started }: ArbiterUse): Promise<void> {
  const one = await started("primary");
  await granted(one, 1);
  await granted(one, 5);
  await refused(await started("secondary"), 6);
  await released(one, 5);
}

async function abortLeavesOne({ started }: ArbiterUse): Promise<void> {
  const one = await started("primary");
  const two = await started("secondary");
  for (let epoch = 1; epoch <= 10; epoch += 2) {
    const abort = new AbortController();
    const half = asked(one, epoch, abort.signal);
    setImmediate(() => abort.abort());
    const rulings = await Promise.all([half, asked(two, epoch + 1)]);
    const holders = rulings.filter(({ verdict }) => verdict === "granted");
    assert.ok(holders.length <= 1, JSON.stringify(rulings));
    // What was aborted may hold all the same; a release says that nobody serves with it.
    await released(one, epoch);
    await released(two, epoch + 1);
  }
}
