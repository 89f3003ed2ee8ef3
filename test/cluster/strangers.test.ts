/**
 * What others do on the machines and on the segment: the firewall flushed, the address removed or added, a third machine
 * that has it (R1, R4, R7, R15). The node mends it or hands over, and says so meanwhile.
 */

import assert from "node:assert/strict";
import { test } from "node:test";
import { type Pair, pairHaAddress, type Side } from "../lab/pair.js";
import { assertAnsweredLast, assertNeverTwo, hasAddress, waitForRole, watched, withPair } from "./fixture.js";

async function alarms(pair: Pair, side: Side): Promise<readonly string[]> {
  return (await pair.node(side).status())?.pulse?.alarms.map(({ code }) => code) ?? [];
}

function addAddress(pair: Pair, machine: string): void {
  pair.segment.run(machine, "ip", ["addr", "add", `${pairHaAddress}/24`, "dev", "eth0"]);
}

/** With whatever prefix it is there. */
function removeAddress(pair: Pair, machine: string): void {
  const shown = pair.segment.run(machine, "ip", ["-o", "addr", "show", "dev", "eth0"]);
  const there = shown.split(/\s+/).find((word) => word.startsWith(`${pairHaAddress}/`));
  assert.ok(there !== undefined, `${machine} has the address: ${shown}`);
  pair.segment.run(machine, "ip", ["addr", "del", there, "dev", "eth0"]);
}

function hasTable(pair: Pair, side: Side): boolean {
  return /table netdev understudy/.test(pair.segment.run(side, "nft", ["list", "tables"]));
}

test("R4: the firewall is flushed on the active; the lease is restored, and it works again", async () => {
  await withPair({}, async (pair) => {
    const flushed = await watched(pair, async () => {
      pair.segment.run("primary", "nft", ["flush", "ruleset"]);
      await pair.waitFor(() => hasTable(pair, "primary"), "the table is back");
      await pair.waitFor(
        async () =>
          (await pair.node("primary").status())?.pulse?.protections.find(
            ({ name }) => name === "kernel-lease",
          )?.inForce === true,
        "status says that it is in force",
      );
      await pair.settled("primary");
    });
    assertNeverTwo(flushed);
    await pair.waitFor(
      async () => /restored/.test((await pair.node("primary").cli("timeline", "--local")).out),
      "the timeline tells of it",
    );
    // The restored lease is one: it ends when pulse hangs.
    const hung = await watched(pair, async () => {
      pair.node("primary").signal("SIGSTOP", "pulse");
      await waitForRole(pair, "secondary", "active");
      pair.node("primary").signal("SIGCONT", "pulse");
      await pair.settled("primary");
    });
    assertNeverTwo(hung);
  });
});

test("R1 R7: the address removed by a stranger is put back, one added on the standby is removed", async () => {
  await withPair({}, async (pair) => {
    const result = await watched(pair, async () => {
      const epoch = (await pair.node("primary").status())?.pulse?.epoch;
      removeAddress(pair, "primary");
      await pair.waitFor(() => hasAddress(pair, "primary"), "it is put back");
      await pair.waitFor(
        async () => /removed/.test((await pair.node("primary").cli("timeline", "--local")).out),
        "the timeline says that something removed it",
      );
      addAddress(pair, "secondary");
      await pair.waitFor(() => !hasAddress(pair, "secondary"), "it is removed");
      await pair.waitFor(
        async () => /put 10\.77\.0\.4/.test((await pair.node("secondary").cli("timeline", "--local")).out),
        "the timeline says that something added it",
      );
      await pair.settled("primary");
      assert.equal((await pair.node("primary").status())?.pulse?.epoch, epoch, "nothing has moved");
    });
    assertNeverTwo(result);
    assertAnsweredLast(result, pair, "primary");
  });
});

test("R15: a third machine that has the address blocks a first claim with an alarm, and no takeover", async () => {
  await withPair({ machines: { stranger: "10.77.0.66" }, cold: true }, async (pair) => {
    addAddress(pair, "stranger");
    for (const side of ["primary", "secondary"] as const) await pair.node(side).start();
    await pair.waitFor(
      async () => (await alarms(pair, "primary")).includes("ADDRESS_CONFLICT"),
      "the primary says that another machine has the address",
    );
    assert.equal(hasAddress(pair, "primary") || hasAddress(pair, "secondary"), false);
    removeAddress(pair, "stranger");
    await pair.settled("primary");
    assert.equal((await alarms(pair, "primary")).includes("ADDRESS_CONFLICT"), false);

    addAddress(pair, "stranger");
    await pair.losePower("primary");
    await waitForRole(pair, "secondary", "active");
    assert.equal(hasAddress(pair, "secondary"), true, "a takeover is not held up");
    removeAddress(pair, "stranger");
    const result = await watched(pair, async () => {
      await pair.returnPower("primary");
      await pair.settled("primary");
    });
    assertNeverTwo(result);
  });
});
