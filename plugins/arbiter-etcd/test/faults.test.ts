/** A real etcd of three members that die, hang, lose what they knew and prolong nothing: what a node is told then. */

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { enterPrivateNetwork } from "@understudy/core/conformance/private-network";
import { until } from "@understudy/core/conformance/until";
import { type Contender, contender, freshCluster, givenBack, makeLedger } from "./contenders.js";
import { type EtcdMembers, nowMs, postTo, startEtcd } from "./etcd-members.js";

enterPrivateNetwork(import.meta.url);

let etcd: EtcdMembers;
before(async () => {
  etcd = startEtcd();
  await etcd.ready();
});
after(() => etcd.dispose());

type Two = { readonly cluster: string; readonly one: Contender; readonly two: Contender };

async function pair(work: (use: Two) => Promise<void>, options: object = {}): Promise<void> {
  await etcd.ready();
  const cluster = freshCluster();
  await etcd.put(`/understudy/${cluster}/record`, givenBack);
  const all = { endpoints: etcd.endpoints, ttlSeconds: 2, requestTimeoutMs: 300, ...options };
  const one = await contender("one", cluster, all);
  const two = await contender("two", cluster, all);
  try {
    await work({ cluster, one, two });
  } finally {
    await one.arbiter.stop();
    await two.arbiter.stop();
  }
}

const base64 = (text: string) => Buffer.from(text).toString("base64");
/** For what is asked once and is none of what is tested. */
const patient = { withinMs: 20_000 };

test("the member that is asked dies: the next one is, within the same question", () =>
  pair(async ({ one }) => {
    await one.ruled(1, "granted");
    const used = etcd.members.find(({ endpoint }) => one.arbiter.describe().includes(endpoint));
    assert.ok(used, one.arbiter.describe());
    await used.kill();
    await one.ruled(1, "granted");
    assert.ok(!one.arbiter.describe().includes(used.endpoint), one.arbiter.describe());
    used.start();
  }));

test("without a majority nothing is granted, and with it again it is", () =>
  pair(async ({ one, two }) => {
    const first = await one.ruled(1, "granted");
    assert.ok(first.untilMs !== undefined);
    const [, second, third] = etcd.members;
    await second?.kill();
    await third?.kill();
    const ledger = makeLedger();
    ledger.granted("one", 1, first.untilMs);
    while (nowMs() < first.untilMs + 1500) {
      for (const [who, epoch] of [
        [one, 1],
        [two, 2],
      ] as const) {
        const { verdict, untilMs } = await who.ask(epoch);
        // What left before the last member fell may still have been carried out.
        if (untilMs !== undefined) ledger.granted(who.name, epoch, untilMs);
        if (nowMs() > first.untilMs) assert.equal(verdict, "unknown");
      }
    }
    assert.deepEqual(ledger.overlaps(), []);
    second?.start();
    third?.start();
    await until("one of both to be granted again", async () => {
      const rulings = await Promise.all([one.ask(3), two.ask(4)]);
      return rulings.some(({ verdict }) => verdict === "granted");
    });
  }));

test("a hung leader costs a holder nothing whose grant outlasts the election", () =>
  pair(
    async ({ one, two }) => {
      const ledger = makeLedger();
      let last = await one.ruled(1, "granted");
      const leader = await etcd.leader();
      leader.pause();
      try {
        const endMs = nowMs() + 6000;
        while (nowMs() < endMs) {
          const ruling = await one.ask(1);
          if (ruling.untilMs !== undefined) {
            last = ruling;
            ledger.granted("one", 1, ruling.untilMs);
          }
          assert.ok((last.untilMs ?? 0) > nowMs(), "the grant ended");
          assert.notEqual((await two.ask(2)).verdict, "granted");
          await pause(100);
        }
        assert.deepEqual(ledger.overlaps(), []);
      } finally {
        leader.resume();
      }
    },
    { ttlSeconds: 8 },
  ));

test("a lease that ends too early hands the grant to nobody, and its holder goes on", () =>
  pair(
    async ({ cluster, one, two }) => {
      await one.ruled(1, "granted");
      await two.ruled(2, "denied");
      const range = await postTo(
        `${etcd.endpoints[0]}/v3/kv/range`,
        { key: base64(`/understudy/${cluster}/holder`) },
        patient,
      );
      const [{ lease }] = (range as { kvs: [{ lease: string }] }).kvs;
      assert.ok(await postTo(`${etcd.endpoints[0]}/v3/lease/revoke`, { ID: lease }, patient));
      await two.ruled(2, "denied", /of one with epoch 1 may be running for \d+ ms more/);
      await one.ruled(1, "granted");
      await two.ruled(2, "denied");
    },
    // Longer than all this takes on a busy machine: whatever ended the lease, it was not time.
    { ttlSeconds: 30 },
  ));

test("an etcd that has lost everything grants nobody else while a grant is running", () =>
  pair(async ({ cluster, one, two }) => {
    const first = await one.ruled(1, "granted");
    assert.ok(first.untilMs !== undefined);
    const emptied = await postTo(
      `${etcd.endpoints[0]}/v3/kv/deleterange`,
      { key: base64(`/understudy/${cluster}/`), range_end: base64(`/understudy/${cluster}0`) },
      patient,
    );
    assert.ok(emptied);
    let takenMs = 0;
    await until("the other node to be granted", async () => {
      const { verdict, why } = await two.ask(2);
      if (verdict === "denied") assert.match(why, /knows nothing of this pair/);
      takenMs = nowMs();
      return verdict === "granted";
    });
    assert.ok(takenMs > first.untilMs, "it was granted before the forgotten grant was over");
  }));

test("a key that somebody else wrote is no grant and no reason to crash", () =>
  pair(async ({ cluster, one }) => {
    for (const text of [
      "hello\nworld",
      '{"epoch":"x"}',
      "",
      '{"epoch":-1,"node":"two","ttlMs":1,"released":true}',
    ]) {
      await etcd.put(`/understudy/${cluster}/record`, text);
      await one.ruled(1, "unknown", /holds what no node wrote/);
    }
  }));

test("members of another cluster behind the same list are not believed", async () => {
  const other = startEtcd({ count: 1 });
  await other.ready();
  try {
    await pair(
      async ({ one }) => {
        await one.ruled(1, "granted");
        for (const member of etcd.members) member.pause();
        await one.ruled(1, "unknown", /belongs to etcd cluster \d+, and the others to \d+/);
        for (const member of etcd.members) member.resume();
      },
      { endpoints: [...etcd.endpoints, ...other.endpoints] },
    );
  } finally {
    for (const member of etcd.members) member.resume();
    await other.dispose();
  }
});

test("a holder that is stopped leaves its grant to time, and one that releases does not", () =>
  pair(async ({ one, two }) => {
    const { untilMs } = await one.ruled(1, "granted");
    assert.ok(untilMs !== undefined);
    await one.arbiter.stop();
    await until("the other to be granted", async () => (await two.ask(2)).verdict === "granted");
    assert.ok(nowMs() > untilMs);
  }));
