/**
 * A pair without disks for its sessions: what one node loses the other has; what both lose is gone, and nobody says of it
 * that it never was before the other node was asked (R17, R20, R22, R24).
 */

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Pair, Side } from "../lab/pair.js";
import {
  assertSameIds,
  type Broker,
  brokerServices,
  createMany,
  patientReplication,
  problemOf,
  startBroker,
  untilReplicated,
} from "./broker.js";
import { assertNeverTwo, waitForRole, watched, withPair } from "./fixture.js";

const config = { services: brokerServices, sessions: { plugin: "memory" } };

test("R17 R22: power loss of one node after the other loses no session that was acknowledged as replicated", async () => {
  await withPair({ config: { ...config, replication: patientReplication } }, async (pair) => {
    const broker = await startBroker(pair);
    await untilReplicated(pair, broker, "first");
    const made = await createMany(broker, "user", 60);
    assert.ok(made.every(({ acknowledgement }) => acknowledgement === "replicated"));
    const [gone] = made;
    assert.ok(gone);
    await broker.end(gone.session.id);
    const ids = made.map(({ session }) => session.id);

    const result = await watched(pair, async () => {
      await pair.losePower("primary");
      await waitForRole(pair, "secondary", "active");
      assertSameIds(await broker.list(), ids);
      const alone = await broker.create("made-alone");
      assert.equal(alone.acknowledgement, "solo");
      ids.push(alone.session.id);
      // It comes back empty, and takes the address only when it has everything (G4).
      await pair.returnPower("primary");
      await pair.settled("primary");
    });
    assertNeverTwo(result);
    await untilReplicated(pair, broker, "second");
    assertSameIds(await broker.list(), ids);
    assert.equal((await broker.get(gone.session.id)).state, "ended");
    const status = (await pair.node("primary").status())?.sessions;
    assert.match(status?.storeDescription ?? "", /on no disk: gone when both nodes are down/);

    await pair.losePower("secondary");
    await pair.returnPower("secondary");
    await pair.settled("primary");
    await pair.losePower("primary");
    await waitForRole(pair, "secondary", "active");
    assertSameIds(await broker.list(), ids);
  });
});

/** Until then it may say that it does not serve yet, or nothing; never that there is no such session, or that there is. */
async function untilNotKnownYet(pair: Pair, broker: Broker, path: string, side: Side): Promise<void> {
  await pair.waitFor(async () => {
    const answer = await broker.once({ method: "GET", path });
    assert.ok(answer.status === 0 || answer.status === 503, JSON.stringify(answer));
    return problemOf(answer) === "notKnownYet";
  }, `the ${side} says that it does not know yet`);
}

test("R22 R24: what both have lost is not known yet, rather than never there, until the nodes have met", async () => {
  await withPair({ config }, async (pair) => {
    const broker = await startBroker(pair);
    await untilReplicated(pair, broker, "before");
    const { session } = await broker.create("known");
    const path = `/v1/sessions/${session.id}`;
    await pair.losePower("secondary");
    await pair.waitFor(
      async () => (await broker.create("solo", `key-${Math.random()}`)).acknowledgement === "solo",
      "it acknowledges alone",
    );

    // The node process of the active one is gone for a moment, and its memory with it.
    pair.node("primary").signal("SIGKILL", "node");
    await pair.node("primary").gone("node");
    await pair.node("primary").start("node");
    await untilNotKnownYet(pair, broker, path, "primary");

    await pair.losePower("primary");
    await pair.returnPower("secondary");
    await waitForRole(pair, "secondary", "active");
    await untilNotKnownYet(pair, broker, path, "secondary");
    await pair.returnPower("primary");
    await pair.settled("primary");
    await untilReplicated(pair, broker, "after");
    const absent = await broker.once({ method: "GET", path });
    assert.deepEqual([absent.status, problemOf(absent)], [404, "notFound"]);
  });
});
