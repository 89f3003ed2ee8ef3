/**
 * What an operator does, by the command line as a person would: switchover, maintenance, a look at the status, a stop
 * (R25, R26, G4, G9).
 */

import assert from "node:assert/strict";
import { test } from "node:test";
import { assertAnsweredLast, assertNeverTwo, waitForRole, watched, withPair } from "./fixture.js";

test("R26: a switchover moves the service and holds until it is cleared", async () => {
  await withPair({}, async (pair) => {
    const there = await watched(pair, async () => {
      const { code, out, err } = await pair.node("primary").cli("switchover");
      assert.equal(code, 0, `${out}${err}`);
      await pair.settled("secondary");
    });
    assertNeverTwo(there);
    assertAnsweredLast(there, pair, "secondary");
    // The preference survives a restart of both nodes.
    for (const side of ["primary", "secondary"] as const) await pair.node(side).end();
    for (const side of ["primary", "secondary"] as const) await pair.node(side).start();
    await pair.settled("secondary");
    const back = await watched(pair, async () => {
      const { code, out, err } = await pair.node("secondary").cli("switchover", "--clear");
      assert.equal(code, 0, `${out}${err}`);
      await pair.settled("primary");
    });
    assertNeverTwo(back);
  });
});

test("R26: maintenance hands over first, survives a restart, and ends when told", async () => {
  await withPair({}, async (pair) => {
    const result = await watched(pair, async () => {
      const { code, out, err } = await pair.node("primary").cli("maintenance", "on");
      assert.equal(code, 0, `${out}${err}`);
      await waitForRole(pair, "secondary", "active");
      await waitForRole(pair, "primary", "maintenance");
      await pair.node("primary").end();
      await pair.node("primary").start();
      await waitForRole(pair, "primary", "maintenance");
      assert.equal((await pair.node("primary").cli("maintenance", "off")).code, 0);
      await pair.settled("primary");
    });
    assertNeverTwo(result);
  });
});

test("status says who serves and what would happen, and --check tells a monitor", async () => {
  await withPair({}, async (pair) => {
    const shown = await pair.node("secondary").cli("status");
    assert.equal(shown.code, 0, shown.err);
    assert.match(shown.out, /primary/);
    await pair.waitFor(
      async () =>
        /This node would take over within about \d+ ms/.test(
          (await pair.node("secondary").cli("status")).out,
        ),
      "the secondary says that it would take over",
    );
    await pair.waitFor(
      async () => (await pair.node("primary").cli("status", "--check")).code === 0,
      "the monitor is told that all is well",
    );
    const json = JSON.parse((await pair.node("primary").cli("status", "--json")).out) as {
      pulse: { role: string };
    };
    assert.equal(json.pulse.role, "active");
    await pair.losePower("secondary");
    await pair.waitFor(
      async () => (await pair.node("primary").cli("status", "--check")).code !== 0,
      "the monitor is told that the pair is alone",
    );
  });
});

test("G9: the timeline of both nodes explains a takeover", async () => {
  await withPair({}, async (pair) => {
    pair.node("primary").signal("SIGKILL", "pulse");
    await waitForRole(pair, "secondary", "active");
    await pair.node("primary").start("pulse");
    await pair.settled("primary");
    const { code, out, err } = await pair.node("primary").cli("timeline");
    assert.equal(code, 0, err);
    assert.match(out, /standby -> claiming/);
    assert.match(out, /primary/);
    assert.match(out, /secondary/);
  });
});
