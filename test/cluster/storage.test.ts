/**
 * What goes wrong with the disk under the session database: full, damaged, set back, empty. A node that cannot keep a
 * session acknowledges none, and none starts empty by mistake (R17, R20, R22, R24).
 */

import assert from "node:assert/strict";
import { cpSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { Pair, PairNode, Side } from "../lab/pair.js";
import {
  assertSameIds,
  type Broker,
  brokerServices,
  createMany,
  problemOf,
  startBroker,
  untilReplicated,
} from "./broker.js";
import { assertNeverTwo, waitForRole, watched, withPair } from "./fixture.js";

const config = { services: brokerServices };
const database = (node: PairNode) => join(node.folder, "state", "sessions.db");

async function sessionsOf(pair: Pair, side: Side) {
  return (await pair.node(side).status())?.sessions;
}

async function idsOfMany(broker: Broker, label: string, count: number): Promise<readonly string[]> {
  return (await createMany(broker, label, count)).map(({ session }) => session.id);
}

/** Ends both processes in order, so that the files can be changed. */
async function stopped(node: PairNode, change: () => void): Promise<void> {
  await node.end();
  change();
}

/** Damages the last place where the file holds a user's name: an earlier one may be a leftover in a free part. */
function damage(file: string, how: (bytes: Buffer, at: number) => void): void {
  const bytes = readFileSync(file);
  const at = bytes.lastIndexOf("user-77");
  assert.ok(at > 0, "the database holds the rows");
  how(bytes, at);
  writeFileSync(file, bytes);
}

async function hasAll(node: PairNode, ids: readonly string[]): Promise<void> {
  const { code, out, err } = await node.cli("sessions", "export");
  assert.equal(code, 0, err);
  assert.deepEqual(
    ids.filter((id) => !out.includes(id)),
    [],
    "every session came back from the other node",
  );
}

function setAside(node: PairNode): readonly string[] {
  return readdirSync(join(node.folder, "state")).filter((name) => /\.damaged-\w+(-\d+)?$/.test(name));
}

test("R20 R22: a full disk takes no new session; the other goes solo; ends still work; room brings all back", async () => {
  await withPair({ config, stateDiskMiB: 48 }, async (pair) => {
    const broker = await startBroker(pair);
    await untilReplicated(pair, broker, "before");
    const ids = await idsOfMany(broker, "user", 20);

    // The standby's disk first: the active goes on, and says that it is alone with what is new.
    pair.disk("secondary").fill();
    let solo = 0;
    await pair.waitFor(async () => {
      solo += 1;
      return (await broker.create(`solo-${solo}`)).acknowledgement === "solo";
    }, "the active acknowledges alone");
    await pair.waitFor(
      async () => (await sessionsOf(pair, "secondary"))?.store === false,
      "the standby says that its disk is full",
    );
    assert.equal((await broker.end(ids[0] ?? "")).session.state, "ended");
    pair.disk("secondary").empty();
    await pair.settled("primary");
    await untilReplicated(pair, broker, "between");

    // Then the active's: the other one is healthier and is handed the service.
    const moved = await watched(pair, async () => {
      pair.disk("primary").fill();
      let tried = 0;
      await pair.waitFor(async () => {
        tried += 1;
        await broker.createOnce(`filling-${tried}`, `filling-${tried}`);
        return (await pair.node("secondary").status())?.pulse?.role === "active";
      }, "the standby serves");
    });
    assertNeverTwo(moved);
    assert.equal((await broker.create("alone-now")).acknowledgement, "solo");

    // And both: read and end, but promise nothing new.
    pair.disk("secondary").fill();
    await pair.waitFor(async () => {
      solo += 1;
      const answer = await broker.createOnce(`full-${solo}`, `full-${solo}`);
      return answer.status === 507 && problemOf(answer) === "diskFull";
    }, "no session is taken when both disks are full");
    assertSameIds(await broker.list(), ids);
    assert.equal((await broker.end(ids[1] ?? "")).session.state, "ended");
    assert.equal((await broker.get(ids[1] ?? "")).state, "ended");

    for (const side of ["primary", "secondary"] as const) pair.disk(side).empty();
    await pair.settled("primary");
    await untilReplicated(pair, broker, "after");
    assertSameIds(await broker.list(), ids);
    assert.equal((await broker.get(ids[1] ?? "")).state, "ended");
  });
});

test("R22: a damaged database is set aside and refilled; a node that is alone with it never serves empty", async () => {
  await withPair({ config: { ...config, aloneAfter: "1s" } }, async (pair) => {
    const broker = await startBroker(pair);
    const ids = await idsOfMany(broker, "user", 200);
    await untilReplicated(pair, broker, "last");
    const [primary, secondary] = [pair.node("primary"), pair.node("secondary")];

    // A page of rows that is no page any more is noticed at the start.
    await stopped(secondary, () =>
      damage(database(secondary), (bytes, at) => bytes.fill(0xa5, at, at + 2000)),
    );
    await secondary.start();
    await pair.waitFor(() => setAside(secondary).length === 1, "it is kept for people to look at");
    await pair.settled("primary");
    assert.match(secondary.log("node"), /the session database did not verify/);
    await hasAll(secondary, ids);

    // One letter of one row is noticed when the row is read.
    await stopped(secondary, () => damage(database(secondary), (bytes, at) => bytes.write("x", at)));
    await secondary.start();
    await pair.waitFor(async () => {
      await secondary.cli("sessions", "export");
      return setAside(secondary).length === 2;
    }, "the damaged row was noticed");
    await pair.settled("primary");
    await hasAll(secondary, ids);

    // Now the same with nobody to be refilled from.
    await secondary.end();
    await stopped(primary, () => truncateSync(database(primary), 8192));
    await primary.start();
    const alone = await watched(pair, async () => {
      await waitForRole(pair, "primary", "failed");
    });
    assert.equal(alone.samples.length, 0, "nobody answers for the address");
    assert.equal(setAside(primary).length, 1);
    assert.match((await primary.cli("status")).out, /database/, "status says why");

    await secondary.start();
    await pair.settled("primary");
    assertSameIds(await broker.list(), ids);
  });
});

test("R17: a state folder that was set back loses nothing and reuses no sequence", async () => {
  await withPair({ config }, async (pair) => {
    const broker = await startBroker(pair);
    const early = await idsOfMany(broker, "early", 20);
    await untilReplicated(pair, broker, "early-last");
    const primary = pair.node("primary");
    const state = join(primary.folder, "state");
    const copy = join(pair.folder, "copy");
    await primary.end();
    cpSync(state, copy, { recursive: true });
    await primary.start();
    await pair.settled("primary");

    const late = await idsOfMany(broker, "late", 20);
    await untilReplicated(pair, broker, "late-last");
    await broker.end(early[0] ?? "");
    await stopped(primary, () => {
      rmSync(state, { recursive: true });
      cpSync(copy, state, { recursive: true });
    });
    await waitForRole(pair, "secondary", "active");
    const alone = await idsOfMany(broker, "alone", 10);
    await primary.start();
    await pair.settled("primary");
    const latest = await idsOfMany(broker, "latest", 10);
    await untilReplicated(pair, broker, "latest-last");

    for (const serving of ["primary", "secondary"] as const) {
      if (serving === "secondary") {
        assert.equal((await primary.cli("switchover")).code, 0);
        await pair.settled("secondary");
      }
      const found = await broker.list();
      assertSameIds(found, [...early, ...late, ...alone, ...latest]);
      assert.equal(found.find(({ id }) => id === early[0])?.state, "ended");
    }
    // Each forgets an end when it hears that the other one has it, and counts anew ten times a second.
    await pair.waitFor(async () => {
      const [ours, theirs] = [await sessionsOf(pair, "primary"), await sessionsOf(pair, "secondary")];
      return ours !== undefined && ours.running === theirs?.running && ours.ended === theirs.ended;
    }, "both hold the same");
  });
});

test("R16 R22: a node with an empty disk joins, is filled, and takes the address back only then", async () => {
  await withPair({ config }, async (pair) => {
    const broker = await startBroker(pair);
    const ids = await idsOfMany(broker, "user", 100);
    await untilReplicated(pair, broker, "last");
    const primary = pair.node("primary");
    await pair.losePower("primary");
    await waitForRole(pair, "secondary", "active");
    const alone = await idsOfMany(broker, "alone", 10);
    for (const name of readdirSync(join(primary.folder, "state")))
      rmSync(join(primary.folder, "state", name), { recursive: true });
    const result = await watched(pair, async () => {
      await pair.returnPower("primary");
      await pair.settled("primary");
    });
    assertNeverTwo(result);
    assertSameIds(await broker.list(), [...ids, ...alone]);
    const epochs = await Promise.all(
      (["primary", "secondary"] as const).map(async (side) => (await pair.node(side).status())?.pulse?.epoch),
    );
    assert.ok((epochs[0] ?? 0) > 2, "its new epoch is above what the other one had");
    await untilReplicated(pair, broker, "after");
  });
});
