/**
 * The fault table with an exclusive arbiter (R30): a real pair and a real etcd of three members on the segment. Never do
 * two machines answer, whatever is cut, and what an active node does without etcd is what its owner chose.
 */

import assert from "node:assert/strict";
import { test } from "node:test";
import { type Etcd, etcdEndpoints, etcdMachines, makeEtcd } from "../lab/etcd.js";
import { monotonicMs } from "../lab/packet-socket.js";
import { type Pair, sides, startBoth } from "../lab/pair.js";
import { assertAnsweredLast, assertNeverTwo, hasAddress, waitForRole, watched, withPair } from "./fixture.js";

const ttlSeconds = 3;

async function withEtcd(
  onArbiterLost: "keep" | "stepDown",
  body: (pair: Pair, etcd: Etcd) => Promise<void>,
): Promise<void> {
  const arbiters = [{ plugin: "etcd", endpoints: etcdEndpoints, ttlSeconds, requestTimeoutMs: 500 }];
  await withPair(
    { cold: true, machines: etcdMachines, config: { arbiters, onArbiterLost } },
    async (pair) => {
      const etcd = makeEtcd(pair.segment, pair.folder);
      etcd.start();
      await startBoth(pair);
      await body(pair, etcd);
    },
  );
}

/** A grant that is not prolonged would have ended by then. */
async function longerThanAGrant(pair: Pair): Promise<void> {
  const untilMs = monotonicMs() + 1.5 * ttlSeconds * 1000;
  await pair.waitFor(() => monotonicMs() > untilMs, "longer than a grant");
}

test("R30: the active node loses power; the other takes over when its grant has run out, and not before", async () => {
  await withEtcd("stepDown", async (pair) => {
    const result = await watched(pair, async () => {
      await pair.losePower("primary");
      // It is renewed when a third has passed, so for most of it etcd refuses the other one.
      await pair.waitFor(
        async () => (await pair.node("secondary").status())?.arbiters[0]?.verdict === "denied",
        "etcd denies the secondary while the grant runs",
      );
      assert.equal(hasAddress(pair, "secondary"), false);
      await waitForRole(pair, "secondary", "active");
    });
    assertNeverTwo(result);
    assertAnsweredLast(result, pair, "secondary");
    await pair.returnPower("primary");
    await pair.settled("primary");
  });
});

test("R30: every path between the nodes is lost while clients and etcd reach both; exactly one serves", async () => {
  await withEtcd("stepDown", async (pair) => {
    const epoch = (await pair.node("primary").status())?.pulse?.epoch;
    const result = await watched(pair, async () => {
      pair.segment.block("primary", "secondary");
      pair.segment.block("secondary", "primary");
      await pair.waitFor(
        async () => (await pair.node("secondary").status())?.pulse?.peer.alive === false,
        "the secondary hears nothing of the other",
      );
      await longerThanAGrant(pair);
      assert.ok(
        hasAddress(pair, "primary") && !hasAddress(pair, "secondary"),
        "the primary alone has the address",
      );
      pair.segment.unblock("primary", "secondary");
      pair.segment.unblock("secondary", "primary");
      await pair.settled("primary");
    });
    assertNeverTwo(result);
    assertAnsweredLast(result, pair, "primary");
    assert.equal((await pair.node("primary").status())?.pulse?.epoch, epoch, "nobody has claimed");
  });
});

test("R30, stepDown: without etcd nobody serves when the grant has ended, and one does when etcd is back", async () => {
  await withEtcd("stepDown", async (pair, etcd) => {
    const result = await watched(pair, async () => {
      etcd.kill();
      await pair.waitFor(() => sides.every((side) => !hasAddress(pair, side)), "nobody has the address");
      etcd.start();
      await pair.settled("primary");
    });
    assertNeverTwo(result);
    assertAnsweredLast(result, pair, "primary");
  });
});

test("R30, keep: without etcd the active node serves on", async () => {
  await withEtcd("keep", async (pair, etcd) => {
    const epoch = (await pair.node("primary").status())?.pulse?.epoch;
    const result = await watched(pair, async () => {
      etcd.kill();
      await longerThanAGrant(pair);
    });
    assertNeverTwo(result);
    assertAnsweredLast(result, pair, "primary");
    const status = (await pair.node("primary").status())?.pulse;
    assert.deepEqual([status?.role, status?.epoch], ["active", epoch]);
  });
});
