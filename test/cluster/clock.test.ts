/**
 * Wall clocks jump: a battery is empty, a time server is wrong. Nothing here is decided by one, so nothing moves and
 * sessions go on (R18, R21). One node gets a wall clock of its own from libfaketime, which leaves the monotonic clock as it
 * is; the host's clock is never touched.
 */

import assert from "node:assert/strict";
import { globSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { assertSameIds, brokerServices, patientReplication, startBroker, untilReplicated } from "./broker.js";
import { assertAnsweredLast, assertNeverTwo, waitForRole, watched, withPair } from "./fixture.js";

const hourMs = 3_600_000;
const [library] = globSync("/usr/lib/*/faketime/libfaketimeMT.so.1");

test("R18: the wall clock of the active jumps by hours, back and forth; nothing moves and sessions go on", async () => {
  assert.ok(library !== undefined, "libfaketime is installed");
  const folder = mkdtempSync(join(tmpdir(), "us-clock-"));
  const clock = join(folder, "offset");
  const jump = (hours: number) => writeFileSync(clock, `${hours < 0 ? "" : "+"}${hours}h\n`);
  jump(0);
  const env = {
    LD_PRELOAD: library,
    FAKETIME_TIMESTAMP_FILE: clock,
    FAKETIME_DONT_FAKE_MONOTONIC: "1",
    FAKETIME_NO_CACHE: "1",
  };
  try {
    await withPair(
      { config: { services: brokerServices, replication: patientReplication }, envOf: { primary: env } },
      async (pair) => {
        const broker = await startBroker(pair);
        await untilReplicated(pair, broker, "before");
        const before = (await pair.node("primary").status())?.pulse;
        const ids: string[] = [];
        const result = await watched(pair, async () => {
          for (const hours of [9, -30, 0]) {
            jump(hours);
            const made = await broker.create(`after-${hours}`);
            ids.push(made.session.id);
            assert.equal(made.acknowledgement, "replicated");
            const sayMs = Date.parse(made.session.createdAt) - Date.now();
            assert.ok(Math.abs(sayMs - hours * hourMs) < 60_000, `the clock has jumped: by ${sayMs} ms`);
          }
        });
        const after = (await pair.node("primary").status())?.pulse;
        assert.deepEqual(
          [after?.role, after?.roleSinceMs, after?.epoch],
          ["active", before?.roleSinceMs, before?.epoch],
        );
        assertNeverTwo(result);
        // In the past when the power goes, in the future when it is back: what is newer is not what says so.
        jump(-30);
        const { session } = await broker.create("ended-later");
        await pair.losePower("primary");
        await waitForRole(pair, "secondary", "active");
        await broker.end(session.id);
        jump(40);
        const back = await watched(pair, async () => {
          await pair.returnPower("primary");
          await pair.settled("primary");
        });
        assertNeverTwo(back);
        assertAnsweredLast(back, pair, "primary");
        assertSameIds(await broker.list(), ids);
        assert.equal((await broker.get(session.id)).state, "ended");
      },
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
});
