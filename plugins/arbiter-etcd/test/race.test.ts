/** Both nodes want the grant at once, hundreds of times, while members of etcd hang: never two hold it, no epoch returns. */

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { enterPrivateNetwork } from "@understudy/core/conformance/private-network";
import { contender, freshCluster, givenBack, makeLedger } from "./contenders.js";
import { type EtcdMembers, startEtcd } from "./etcd-members.js";

enterPrivateNetwork(import.meta.url);

let etcd: EtcdMembers;
before(async () => {
  etcd = startEtcd();
  await etcd.ready();
});
after(() => etcd.dispose());

/** Numbers that look random and are the same each time. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

async function race(withFaults: boolean, rounds: number): Promise<void> {
  const cluster = freshCluster();
  await etcd.put(`/understudy/${cluster}/record`, givenBack);
  const options = { endpoints: etcd.endpoints, ttlSeconds: 2, requestTimeoutMs: 200 };
  const ledger = makeLedger();
  const grantedEpochs: number[] = [];
  const random = seeded(withFaults ? 7 : 3);
  let highest = 0;
  const play = async (name: "one" | "two") => {
    const { ask, arbiter } = await contender(name, cluster, options);
    let epoch = name === "one" ? 1 : 2;
    try {
      for (let round = 0; round < rounds; round += 1) {
        while (epoch <= highest) epoch += 2;
        const { verdict, untilMs, seenEpoch } = await ask(epoch);
        if (verdict === "granted" && untilMs !== undefined) {
          ledger.granted(name, epoch, untilMs);
          grantedEpochs.push(epoch);
          highest = Math.max(highest, epoch);
          if (random() < 0.7) {
            ledger.released(name);
            await arbiter.release?.(epoch).catch(() => undefined);
            epoch += 2;
          }
        }
        highest = Math.max(highest, seenEpoch ?? 0);
        if (random() < 0.3) await pause(random() * 20);
      }
    } finally {
      await arbiter.stop();
    }
  };
  let over = false;
  const faults = async () => {
    while (withFaults && !over) {
      const member = etcd.members[Math.floor(random() * 3)];
      member?.pause();
      await pause(300 + random() * 1500);
      member?.resume();
      await pause(500);
    }
  };
  const playing = Promise.all([play("one"), play("two")]).finally(() => {
    over = true;
  });
  await Promise.all([playing, faults()]);
  assert.deepEqual(ledger.overlaps(), []);
  const both = new Set(ledger.all.map(({ node }) => node));
  assert.equal(both.size, 2, "both were granted something, else nothing raced");
  assert.ok(ledger.all.length >= 20, `only ${ledger.all.length} grants`);
  assert.deepEqual(
    grantedEpochs,
    grantedEpochs.toSorted((a, b) => a - b),
  );
}

test("400 questions each, all members well", () => race(false, 400));

test("150 questions each, one member hanging now and again, the leader too", () => race(true, 150));
