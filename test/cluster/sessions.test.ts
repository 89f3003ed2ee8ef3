/**
 * What clients of the session broker keep through takeover, return and split: every acknowledged session, every end, one
 * session for one key (G3, G5, R18, R20, R23).
 */

import assert from "node:assert/strict";
import { test } from "node:test";
import { startWorkload } from "../demo/workload.js";
import { startClient } from "../lab/client.js";
import { type Pair, pairHaAddress } from "../lab/pair.js";
import {
  assertSameIds,
  brokerServices,
  createMany,
  patientReplication,
  pinClient,
  problemOf,
  startBroker,
  untilReplicated,
} from "./broker.js";
import { assertNeverTwo, waitForRole, watched, withPair } from "./fixture.js";

const config = { services: brokerServices };

test("G3 R20 R23: what was acknowledged is there after power loss, and what was made alone is there after return", async () => {
  await withPair({ config: { ...config, replication: patientReplication } }, async (pair) => {
    const broker = await startBroker(pair);
    await untilReplicated(pair, broker, "first");
    const made = await createMany(broker, "user", 60);
    const replicated = made.filter(({ acknowledgement }) => acknowledgement === "replicated");
    assert.equal(replicated.length, made.length, "both nodes are there, so both have every session");
    const ended = made.slice(0, 5).map(({ session }) => session.id);
    for (const id of ended) assert.equal((await broker.end(id)).session.state, "ended");

    const lost = await watched(pair, async () => {
      // In flight while the power goes: its answer may be lost, its retry must not make a second one.
      const inFlight = broker.createOnce("in-flight", "one-key");
      await pair.losePower("primary");
      await inFlight;
      await waitForRole(pair, "secondary", "active");
      await broker.create("in-flight", "one-key");
    });
    assertNeverTwo(lost);
    assert.equal((await broker.list("in-flight")).length, 1, "one key makes one session (R23)");

    const kept = await broker.list();
    assertSameIds(
      kept,
      made.map(({ session }) => session.id),
    );
    const stateOf = new Map(kept.map(({ id, state }) => [id, state]));
    for (const id of ended) assert.equal(stateOf.get(id), "ended", "an end is not undone");
    const [, , , , , sixth, seventh] = made;
    assert.ok(sixth !== undefined && seventh !== undefined);
    const retried = await broker.create(sixth.session.user, `key-${sixth.session.user}`);
    assert.deepEqual([retried.created, retried.session.id], [false, sixth.session.id], "a retry of a create");
    const again = await broker.create(seventh.session.user, "another-key");
    assert.deepEqual([again.created, again.session.id], [false, seventh.session.id], "a user gets it back");
    const reused = await broker.createOnce("user-0", "key-user-0");
    assert.deepEqual([reused.status, problemOf(reused)], [409, "keyUsed"], "an ended session's key");

    const alone = await createMany(broker, "alone", 20);
    assert.ok(
      alone.every(({ acknowledgement }) => acknowledgement === "solo"),
      "nobody else has them",
    );
    const endedAlone = await broker.end(sixth.session.id);
    assert.equal(endedAlone.acknowledgement, "solo");
    const returned = await watched(pair, async () => {
      await pair.returnPower("primary");
      await pair.settled("primary");
    });
    assertNeverTwo(returned);
    const merged = await broker.list();
    assertSameIds(
      merged,
      [...made, ...alone].map(({ session }) => session.id),
    );
    assert.equal((await broker.get(sixth.session.id)).state, "ended", "the end made alone came along");
    await untilReplicated(pair, broker, "last");
  });
});

test("G5: sessions made on both sides of a split survive, merged, and what is over the limit is flagged", async () => {
  await withPair({ config }, async (pair) => {
    const broker = await startBroker(pair);
    await untilReplicated(pair, broker, "before");
    const ended = await broker.create("ended-there");
    pair.segment.block("primary", "secondary");
    pair.segment.block("secondary", "primary");
    await waitForRole(pair, "secondary", "active");
    await waitForRole(pair, "primary", "active");

    pinClient(pair, "primary");
    const onPrimary = await createMany(broker, "left", 10);
    const bothOnPrimary = await broker.create("both", "left-key");
    const sameOnPrimary = await broker.create("same", "same-key");
    pinClient(pair, "secondary");
    const onSecondary = await createMany(broker, "right", 10);
    const bothOnSecondary = await broker.create("both", "right-key");
    const sameOnSecondary = await broker.create("same", "same-key");
    await broker.end(ended.session.id);
    assert.notEqual(bothOnPrimary.session.id, bothOnSecondary.session.id);
    assert.equal(
      sameOnPrimary.session.id,
      sameOnSecondary.session.id,
      "one user, one key, one session (R23)",
    );
    const alone = [...onPrimary, ...onSecondary, bothOnPrimary, bothOnSecondary];
    assert.ok(alone.every(({ acknowledgement }) => acknowledgement === "solo"));

    pinClient(pair, undefined);
    pair.segment.unblock("primary", "secondary");
    pair.segment.unblock("secondary", "primary");
    await pair.settled("primary");
    const merged = await broker.list();
    assertSameIds(
      merged,
      [...alone, sameOnPrimary].map(({ session }) => session.id),
    );
    const both = merged.filter(({ user }) => user === "both");
    assert.deepEqual(
      [both.length, both.filter(({ overLimit }) => overLimit).length],
      [2, 1],
      "both are kept, and the one beyond the limit is flagged",
    );
    assert.equal(merged.filter(({ user }) => user === "same").length, 1);
    assert.equal(merged.find(({ id }) => id === ended.session.id)?.state, "ended", "an end wins");
    const shown = await pair.node("secondary").cli("sessions", "list", "--user", "both");
    assert.match(shown.out, /over limit/, "the other node says the same");
  });
});

/** What is done to the pair while clients work, each ending with the primary in charge again. */
const faults: readonly { readonly name: string; readonly play: (pair: Pair) => Promise<void> }[] = [
  {
    name: "pulse is killed",
    play: async (pair) => {
      pair.node("primary").signal("SIGKILL", "pulse");
      await waitForRole(pair, "secondary", "active");
      await pair.node("primary").start("pulse");
    },
  },
  {
    name: "pulse hangs",
    play: async (pair) => {
      pair.node("primary").signal("SIGSTOP", "pulse");
      await waitForRole(pair, "secondary", "active");
      pair.node("primary").signal("SIGCONT", "pulse");
    },
  },
  {
    name: "node is killed",
    play: async (pair) => {
      pair.node("primary").signal("SIGKILL", "node");
      await waitForRole(pair, "secondary", "active");
      await pair.node("primary").start("node");
    },
  },
  {
    // All its processes stop and the wire is pulled, then both come back at once: it wakes with its old epoch.
    name: "the machine is paused",
    play: async (pair) => {
      pair.node("primary").signal("SIGSTOP", "both");
      pair.segment.cut("primary");
      await waitForRole(pair, "secondary", "active");
      pair.segment.mend("primary");
      pair.node("primary").signal("SIGCONT", "both");
    },
  },
  {
    name: "the standby loses power",
    play: async (pair) => {
      await pair.losePower("secondary");
      await pair.waitFor(
        async () => (await pair.node("primary").status())?.pulse?.peer.alive === false,
        "the primary knows that it is alone",
      );
      await pair.returnPower("secondary");
    },
  },
];

test("G3 R14 R21: through one fault after the other no acknowledged session is lost", async () => {
  await withPair({ config }, async (pair) => {
    const client = await startClient(pair.segment);
    const load = startWorkload(client, `http://${pairHaAddress}:8080`);
    for (const { name, play } of faults) {
      const before = load.counts();
      await play(pair);
      await pair.settled("primary");
      await pair.waitFor(
        () => load.counts().replicated > before.replicated,
        `sessions are replicated again after: ${name}`,
      );
    }
    const { acknowledged, lost } = await load.finish();
    assert.ok(acknowledged > faults.length, `${acknowledged} sessions were acknowledged`);
    assert.deepEqual(lost, [], `${lost.length} of ${acknowledged} acknowledged sessions were lost`);
  });
});
