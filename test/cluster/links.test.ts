/**
 * The lower half of the fault table with real processes: the client side lost, one path of two, the only path in one
 * direction, every path while clients reach both (G6, R5, R7, R9).
 */

import assert from "node:assert/strict";
import { test } from "node:test";
import { bothAnsweringMs } from "../lab/outage.js";
import { monotonicMs } from "../lab/packet-socket.js";
import {
  assertAnsweredLast,
  assertNeverTwo,
  hasAddress,
  waitForRole,
  watched,
  withCable,
  withPair,
} from "./fixture.js";

test("G6: the active loses the client side while the cable lives; it hands over", async () => {
  await withPair(withCable, async (pair) => {
    const result = await watched(pair, async () => {
      pair.segment.cut("primary");
      await waitForRole(pair, "secondary", "active");
      await waitForRole(pair, "primary", "standby");
      pair.segment.mend("primary");
      await pair.settled("primary");
    });
    assertNeverTwo(result);
    assertAnsweredLast(result, pair, "primary");
  });
});

test("G6: the standby loses the client side while the cable lives; nothing moves", async () => {
  await withPair(withCable, async (pair) => {
    const result = await watched(pair, async () => {
      pair.segment.cut("secondary");
      await pair.waitFor(
        async () =>
          (await pair.node("primary").status())?.pulse?.alarms.some(({ code }) => code === "PATH_DEGRADED") ??
          false,
        "the primary shows the path as degraded",
      );
      await waitForRole(pair, "primary", "active");
      pair.segment.mend("secondary");
      await pair.settled("primary");
    });
    assertNeverTwo(result);
    assert.equal(hasAddress(pair, "secondary"), false);
  });
});

test("one path of two is lost in both directions or in one; nothing moves, it is shown as degraded", async () => {
  await withPair(withCable, async (pair) => {
    const degraded = async (side: "primary" | "secondary") =>
      (await pair.node(side).status())?.pulse?.alarms.some(({ code }) => code === "PATH_DEGRADED") ?? false;
    const result = await watched(pair, async () => {
      pair.cable?.cut();
      await pair.waitFor(() => degraded("primary"), "the lost cable is shown");
      pair.cable?.mend();
      await pair.waitFor(async () => !(await degraded("primary")), "the cable is back");
      pair.segment.block("primary", "secondary");
      await pair.waitFor(() => degraded("secondary"), "the blocked direction is shown");
      await waitForRole(pair, "primary", "active");
      pair.segment.unblock("primary", "secondary");
      await pair.settled("primary");
    });
    assertNeverTwo(result);
    assertAnsweredLast(result, pair, "primary");
  });
});

test("the cut of the whole segment's side of the active: the other serves, and the loser yields when it heals", async () => {
  await withPair({}, async (pair) => {
    const result = await watched(pair, async () => {
      pair.segment.cut("primary");
      await waitForRole(pair, "secondary", "active");
      pair.segment.mend("primary");
      await pair.settled("primary");
    });
    assertNeverTwo(result, 50);
    assertAnsweredLast(result, pair, "primary");
  });
});

test("the only path is cut in one direction: whoever must, yields, and after healing one serves", async () => {
  await withPair({}, async (pair) => {
    let healedMs = Infinity;
    const result = await watched(pair, async () => {
      pair.segment.block("primary", "secondary");
      await waitForRole(pair, "secondary", "active");
      pair.segment.unblock("primary", "secondary");
      healedMs = monotonicMs();
      await pair.settled("primary");
    });
    // Afterwards one beat and the kernel's time for it: 50 ms.
    assert.ok(bothAnsweringMs(result, healedMs + 50) <= 2, "one yields when the path is whole");
    assertAnsweredLast(result, pair, "primary");
  });
});

test("the only path carries nothing to the active node; it goes on serving, and nothing moves", async () => {
  await withPair({}, async (pair) => {
    const epoch = (await pair.node("primary").status())?.pulse?.epoch;
    const result = await watched(pair, async () => {
      pair.segment.block("secondary", "primary");
      await pair.waitFor(
        async () => (await pair.node("primary").status())?.pulse?.peer.alive === false,
        "the primary hears nothing of the other",
      );
      await waitForRole(pair, "secondary", "standby");
      pair.segment.unblock("secondary", "primary");
      await pair.settled("primary");
    });
    assertNeverTwo(result);
    assertAnsweredLast(result, pair, "primary");
    assert.equal((await pair.node("primary").status())?.pulse?.epoch, epoch, "nobody has claimed");
  });
});

test("G5: every path between the nodes is lost while clients reach both; then one yields", async () => {
  await withPair({}, async (pair) => {
    let healedMs = Infinity;
    const result = await watched(pair, async () => {
      pair.segment.block("primary", "secondary");
      pair.segment.block("secondary", "primary");
      await waitForRole(pair, "secondary", "active");
      await waitForRole(pair, "primary", "active");
      pair.segment.unblock("primary", "secondary");
      pair.segment.unblock("secondary", "primary");
      healedMs = monotonicMs();
      await pair.settled("primary");
    });
    assert.ok(bothAnsweringMs(result, 0, healedMs) > 0, "both served while nothing told them of each other");
    assert.ok(bothAnsweringMs(result, healedMs + 50) <= 2, "one yields when the paths are whole");
  });
});
