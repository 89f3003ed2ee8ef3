/**
 * The upper half of the fault table with real processes: power loss, killed and stopped processes, a paused machine.
 * Each row's "both answering, at most" is watched on the wire.
 */

import assert from "node:assert/strict";
import { test } from "node:test";
import {
  assertAnsweredLast,
  assertNeverTwo,
  hasAddress,
  hasLease,
  waitForRole,
  watched,
  withPair,
} from "./fixture.js";

test("G1 R9: the active loses power; the standby claims; the primary takes back when it is in sync", async () => {
  await withPair({}, async (pair) => {
    const lost = await watched(pair, async () => {
      await pair.losePower("primary");
      await waitForRole(pair, "secondary", "active");
    });
    assertNeverTwo(lost);
    assertAnsweredLast(lost, pair, "secondary");
    const returned = await watched(pair, async () => {
      await pair.returnPower("primary");
      await pair.settled("primary");
    });
    assertNeverTwo(returned);
    assertAnsweredLast(returned, pair, "primary");
    assert.equal(hasAddress(pair, "secondary"), false);
  });
});

test("G2 R4 R12: pulse is killed; guard or sibling withdraws; the standby claims", async () => {
  await withPair({}, async (pair) => {
    const result = await watched(pair, async () => {
      pair.node("primary").signal("SIGKILL", "pulse");
      await waitForRole(pair, "secondary", "active");
    });
    assertNeverTwo(result);
    assertAnsweredLast(result, pair, "secondary");
    // The standby may have claimed because the lease had ended: the guard's removal is another process's.
    await pair.waitFor(() => !hasAddress(pair, "primary"), "the address is withdrawn");
    await pair.node("primary").start("pulse");
    await pair.settled("primary");
  });
});

test("G2 R4: pulse and node are killed together; the guard withdraws; the standby claims", async () => {
  await withPair({}, async (pair) => {
    const result = await watched(pair, async () => {
      pair.node("primary").signal("SIGKILL", "both");
      await waitForRole(pair, "secondary", "active");
    });
    assertNeverTwo(result);
    assertAnsweredLast(result, pair, "secondary");
    // The standby may have claimed because the lease had ended: the guard's removal is another process's.
    await pair.waitFor(() => !hasAddress(pair, "primary"), "the address is withdrawn");
    await pair.node("primary").start();
    await pair.settled("primary");
  });
});

test("G2 R1 R9: pulse hangs; its lease ends in the kernel; the standby claims; it stays silent when it wakes", async () => {
  await withPair({}, async (pair) => {
    const result = await watched(pair, async () => {
      pair.node("primary").signal("SIGSTOP", "pulse");
      await waitForRole(pair, "secondary", "active");
      await pair.waitFor(async () => {
        const { code, out } = await pair.node("primary").cli("status", "--check");
        return code === 2 && /pulse does not answer/.test(out);
      }, "monitoring hears that pulse hangs, and not what it said last");
      pair.node("primary").signal("SIGCONT", "pulse");
      await pair.settled("primary");
    });
    assertNeverTwo(result);
    assertAnsweredLast(result, pair, "primary");
  });
});

test("R27: node is killed on the active; the standby, now healthier, is handed the service", async () => {
  await withPair({}, async (pair) => {
    const result = await watched(pair, async () => {
      pair.node("primary").signal("SIGKILL", "node");
      await waitForRole(pair, "secondary", "active");
      await pair.node("primary").start("node");
      await pair.settled("primary");
    });
    assertNeverTwo(result);
  });
});

test("R27: node hangs on the active; after the hang limit the standby is handed the service", async () => {
  await withPair({}, async (pair) => {
    const result = await watched(pair, async () => {
      pair.node("primary").signal("SIGSTOP", "node");
      await waitForRole(pair, "secondary", "active");
      pair.node("primary").signal("SIGCONT", "node");
      await pair.settled("primary");
    });
    assertNeverTwo(result);
  });
});

test("R27: node is killed on both; the active keeps the address", async () => {
  await withPair({}, async (pair) => {
    const result = await watched(pair, async () => {
      pair.node("secondary").signal("SIGKILL", "node");
      await pair.waitFor(
        async () => ((await pair.node("primary").status())?.pulse?.peer.healthScore ?? 15) < 15,
        "the primary sees that the secondary is less healthy",
      );
      pair.node("primary").signal("SIGKILL", "node");
      await pair.node("primary").start("node");
      await waitForRole(pair, "primary", "active");
    });
    assertNeverTwo(result);
    assertAnsweredLast(result, pair, "primary");
    assert.equal(hasAddress(pair, "primary"), true);
  });
});

/** A stand-in for a paused machine: all its processes stop, its kernel does not; so the lease is made too long to end. */
test("R5: a paused machine's lease is ended in its kernel by the peer's claim frame", async () => {
  await withPair({ config: { lease: "60s" } }, async (pair) => {
    const result = await watched(pair, async () => {
      pair.node("primary").signal("SIGSTOP", "both");
      // With a kernel that still answers only a word over TLS could free the address; the cable is pulled meanwhile.
      pair.segment.cut("primary");
      await waitForRole(pair, "secondary", "active");
      assert.equal(hasLease(pair, "primary"), true, "nobody has told its kernel yet");
      pair.segment.mend("primary");
      await pair.waitFor(() => !hasLease(pair, "primary"), "the claim frame ends the lease");
      pair.node("primary").signal("SIGCONT", "both");
      await pair.settled("primary");
    });
    // The claim frame arrives with the first beat after the resume.
    assertNeverTwo(result, 50);
    assertAnsweredLast(result, pair, "primary");
  });
});

test("R12: both processes are asked to end on the active; the address moves at once, with a goodbye", async () => {
  await withPair({}, async (pair) => {
    const result = await watched(pair, async () => {
      await pair.node("primary").end();
      await waitForRole(pair, "secondary", "active");
    });
    assertNeverTwo(result);
    assertAnsweredLast(result, pair, "secondary");
    assert.equal(hasAddress(pair, "primary"), false);
  });
});
