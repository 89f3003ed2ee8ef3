/**
 * Alive and able to serve are two facts (G6), with real processes and a cable between the nodes that lives on: the client
 * network lost on the active, on the standby, on both, and in one direction; and a node whose last path goes as well.
 */

import assert from "node:assert/strict";
import { test } from "node:test";
import { clientAddress, type Pair, type Side, sides, startBoth } from "../lab/pair.js";
import {
  assertAnsweredLast,
  assertNeverTwo,
  hasAddress,
  waitForRole,
  watched,
  withCable,
  withPair,
} from "./fixture.js";

/** Nothing goes in or out of a machine's client side, and its carrier stays. */
function isolate(pair: Pair, side: Side, change: "block" | "unblock"): void {
  for (const name of pair.segment.machines.keys()) {
    if (name === side) continue;
    pair.segment[change](side, name);
    pair.segment[change](name, side);
  }
}

async function pulseOf(pair: Pair, side: Side) {
  return (await pair.node(side).status())?.pulse;
}

async function epochOf(pair: Pair, side: Side): Promise<number> {
  return (await pulseOf(pair, side))?.highestEpoch ?? 0;
}

async function waitForAlarm(pair: Pair, side: Side, code: string): Promise<void> {
  await pair.waitFor(
    async () => (await pulseOf(pair, side))?.alarms.some((alarm) => alarm.code === code) ?? false,
    `${side} raises ${code}`,
  );
}

async function waitForDirection(pair: Pair, side: Side, path: string, direction: string): Promise<void> {
  await pair.waitFor(
    async () =>
      (await pulseOf(pair, side))?.paths.some((each) => each.name === path && each.direction === direction) ??
      false,
    `${side} says of ${path}: ${direction}`,
  );
}

/** A gateway is what each node asks for a sign of life on its client side; without one nobody can tell who lost it. */
async function startWithGateway(pair: Pair): Promise<void> {
  for (const side of sides) pair.segment.run(side, "ip", ["route", "add", "default", "via", clientAddress]);
  await startBoth(pair);
  for (const side of sides)
    await pair.waitFor(
      async () => /, neighbours answer/.test((await pulseOf(pair, side))?.address?.join("; ") ?? ""),
      `the gateway answers the ${side}`,
    );
}

test("G6: both nodes lose the client side while the cable lives; nothing moves, and both say so", async () => {
  await withPair(withCable, async (pair) => {
    const epoch = await epochOf(pair, "primary");
    const result = await watched(pair, async () => {
      pair.segment.cut("secondary");
      pair.segment.cut("primary");
      await waitForAlarm(pair, "primary", "CLIENT_LINK_LOST");
      await waitForAlarm(pair, "secondary", "CLIENT_LINK_LOST");
      await waitForDirection(pair, "primary", "udp", "silent");
      await waitForDirection(pair, "primary", "cable", "two-way");
      assert.equal(await epochOf(pair, "secondary"), epoch, "nobody has claimed");
      pair.segment.mend("primary");
      pair.segment.mend("secondary");
      await pair.settled("primary");
    });
    assertNeverTwo(result);
    assertAnsweredLast(result, pair, "primary");
  });
});

test("G6: the active loses its client side with its carrier up, while the cable lives; the standby serves until it is back", async () => {
  await withPair({ ...withCable, cold: true }, async (pair) => {
    await startWithGateway(pair);
    const result = await watched(pair, async () => {
      isolate(pair, "primary", "block");
      await waitForRole(pair, "secondary", "active");
      await waitForAlarm(pair, "primary", "CLIENT_LINK_LOST");
      await waitForDirection(pair, "secondary", "cable", "two-way");
      assert.equal(hasAddress(pair, "primary"), false);
      isolate(pair, "primary", "unblock");
      await pair.settled("primary");
    });
    assertNeverTwo(result);
    assertAnsweredLast(result, pair, "primary");
  });
});

test("G6: a standby without its client side does not claim when its last path is lost too; the active serves on", async () => {
  await withPair({ ...withCable, cold: true }, async (pair) => {
    await startWithGateway(pair);
    const epoch = await epochOf(pair, "primary");
    const result = await watched(pair, async () => {
      isolate(pair, "secondary", "block");
      await waitForAlarm(pair, "secondary", "CLIENT_LINK_LOST");
      pair.cable?.cut();
      await waitForAlarm(pair, "primary", "PEER_DEAD");
      await pair.waitFor(
        async () =>
          (await pulseOf(pair, "secondary"))?.paths.every(({ direction }) => direction === "silent") ?? false,
        "the secondary hears nothing on any path",
      );
      await waitForRole(pair, "secondary", "standby");
      assert.equal(hasAddress(pair, "secondary"), false);
      pair.cable?.mend();
      isolate(pair, "secondary", "unblock");
      await pair.settled("primary");
    });
    assertNeverTwo(result);
    assertAnsweredLast(result, pair, "primary");
    assert.equal(await epochOf(pair, "secondary"), epoch, "nobody has claimed");
  });
});

for (const from of ["primary", "secondary"] as const) {
  const to = from === "primary" ? "secondary" : "primary";
  test(`G6: the client path carries nothing from the ${from} while the cable lives; both name the direction, nothing moves`, async () => {
    await withPair(withCable, async (pair) => {
      const epoch = await epochOf(pair, "primary");
      const result = await watched(pair, async () => {
        pair.segment.block(from, to);
        await waitForDirection(pair, to, "udp", "to-peer");
        await waitForDirection(pair, from, "udp", "from-peer");
        await waitForAlarm(pair, to, "PATH_DEGRADED");
        await waitForAlarm(pair, from, "PATH_DEGRADED");
        await waitForRole(pair, "primary", "active");
        pair.segment.unblock(from, to);
        await pair.settled("primary");
      });
      assertNeverTwo(result);
      assertAnsweredLast(result, pair, "primary");
      assert.equal(await epochOf(pair, "secondary"), epoch, "nobody has claimed");
    });
  });
}
