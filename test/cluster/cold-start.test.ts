/**
 * Power comes back: to one node alone, to both at once, to the one whose database is the older one. Nobody serves before
 * what the other may know was asked for, or says that it may not know everything (R24, G4).
 */

import assert from "node:assert/strict";
import { test } from "node:test";
import { monotonicMs } from "../lab/packet-socket.js";
import { assertSameIds, brokerServices, problemOf, startBroker, untilReplicated } from "./broker.js";
import { assertAnsweredLast, assertNeverTwo, waitForRole, watched, withPair } from "./fixture.js";

const config = { services: brokerServices };
const unknownPath = "/v1/sessions/00000000000000000000000000";

test("R24: one alone waits, then serves and says that it may not know everything, until the other is back", async () => {
  await withPair({ config }, async (pair) => {
    const broker = await startBroker(pair);
    await untilReplicated(pair, broker, "before");
    const known = await broker.create("known");
    await Promise.all([pair.losePower("primary"), pair.losePower("secondary")]);

    const alone = await watched(pair, async () => {
      await pair.returnPower("secondary");
      await waitForRole(pair, "secondary", "active");
    });
    assertAnsweredLast(alone, pair, "secondary");
    const status = (await pair.node("secondary").status())?.pulse;
    assert.ok(status?.alarms.some(({ code }) => code === "SERVING_STALE"));
    assert.match(status?.reason ?? "", /^nobody has served for 3 s$/);
    const made = await broker.create("made-alone");
    assert.deepEqual([made.acknowledgement, made.stale], ["solo", true]);
    const found = await broker.once({ method: "GET", path: `/v1/sessions/${known.session.id}` });
    assert.deepEqual([found.status, (found.body as { stale: boolean }).stale], [200, true]);
    const unknown = await broker.once({ method: "GET", path: unknownPath });
    assert.deepEqual([unknown.status, problemOf(unknown)], [503, "notKnownYet"]);

    const back = await watched(pair, async () => {
      await pair.returnPower("primary");
      await pair.settled("primary");
    });
    assertNeverTwo(back);
    await untilReplicated(pair, broker, "after");
    assertSameIds(await broker.list(), [known.session.id, made.session.id]);
    const absent = await broker.once({ method: "GET", path: unknownPath });
    assert.deepEqual([absent.status, problemOf(absent)], [404, "notFound"]);
  });
});

test("R24: with aloneAfter: never nobody serves alone; both together do", async () => {
  await withPair({ config: { ...config, aloneAfter: "never" }, cold: true }, async (pair) => {
    const result = await watched(pair, async () => {
      await pair.node("primary").start();
      await pair.waitFor(
        async () =>
          /aloneAfter is never/.test((await pair.node("primary").status())?.pulse?.ifPeerDied ?? ""),
        "the primary says that it waits for the other",
      );
      // That nothing happens can only be watched for a while: as long as `aloneAfter` is in the other tests.
      const untilMs = monotonicMs() + 3000;
      await pair.waitFor(() => monotonicMs() > untilMs, "three seconds alone");
      await waitForRole(pair, "primary", "joining");
      await pair.node("secondary").start();
      await pair.settled("primary");
    });
    assertNeverTwo(result);
    assertAnsweredLast(result, pair, "primary");
  });
});

test("R24: without sessions one alone waits as long, and has nothing that could be stale", async () => {
  await withPair({ config: { sessions: "none" }, cold: true }, async (pair) => {
    const alone = await watched(pair, async () => {
      await pair.node("secondary").start();
      await waitForRole(pair, "secondary", "active");
    });
    assertAnsweredLast(alone, pair, "secondary");
    const status = (await pair.node("secondary").status())?.pulse;
    assert.match(status?.reason ?? "", /^nobody has served for 3 s$/);
    assert.deepEqual(
      status?.alarms.filter(({ code }) => code === "SERVING_STALE"),
      [],
    );
  });
});

test("G4 R24: both come back at once, and the primary, whose database is older, serves with what it lacked", async () => {
  await withPair({ config }, async (pair) => {
    const broker = await startBroker(pair);
    await untilReplicated(pair, broker, "before");
    await pair.losePower("primary");
    await waitForRole(pair, "secondary", "active");
    const { session } = await broker.create("newer");
    await broker.end((await broker.list("before-1"))[0]?.id ?? "");
    await pair.losePower("secondary");

    const wrong: string[] = [];
    const result = await watched(pair, async () => {
      await Promise.all([pair.returnPower("primary"), pair.returnPower("secondary")]);
      // From the first answer on it is there: whoever serves has merged, or says that it is not sure.
      await pair.waitFor(async () => {
        const answer = await broker.once({
          method: "GET",
          path: `/v1/sessions/${session.id}`,
          timeoutMs: 250,
        });
        if (answer.status === 404) wrong.push(JSON.stringify(answer.body));
        return answer.status === 200;
      }, "the newer session is found");
      await pair.settled("primary");
    });
    assertNeverTwo(result);
    assert.deepEqual(wrong, [], "it was never said that there is no such session");
    assert.equal((await broker.list("before-1"))[0]?.state, "ended");
    assert.equal((await broker.get(session.id)).state, "running");
  });
});
