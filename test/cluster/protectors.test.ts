/**
 * A fence and a ping in a real pair (R30, R32): a split in which clients reach both nodes, and nobody takes the address
 * before the other one is off; and a node that reaches no gateway, which stays standby.
 */

import assert from "node:assert/strict";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { Pair, Side } from "../lab/pair.js";
import { assertAnsweredLast, assertNeverTwo, hasAddress, waitForRole, watched, withPair } from "./fixture.js";

function hasAlarm(pair: Pair, side: Side, code: string, detail: RegExp): Promise<void> {
  return pair.waitFor(async () => {
    const alarms = (await pair.node(side).status())?.pulse?.alarms ?? [];
    return alarms.some((alarm) => alarm.code === code && detail.test(alarm.detail));
  }, `${side} raises ${code}: ${detail}`);
}

test("R32: the nodes lose each other and no client does: the standby waits for its fence, and two never answer", async () => {
  const folder = mkdtempSync(join(tmpdir(), "us-fence-"));
  const at = (name: string) => join(folder, name);
  // The device: says that it was fired, and done when the test has switched the machine off.
  const device = `touch ${at("fired")}; while [ ! -e ${at("off")} ]; do sleep 0.05; done`;
  const fences = [
    { plugin: "exec", command: ["false"] },
    { plugin: "exec", command: { shell: device } },
  ];
  try {
    await withPair({ config: { fences } }, async (pair) => {
      const result = await watched(pair, async () => {
        pair.segment.block("primary", "secondary");
        pair.segment.block("secondary", "primary");
        await hasAlarm(pair, "secondary", "FENCE_FAILED", /exec failed \(unknown\): exit code 1/);
        await pair.waitFor(() => existsSync(at("fired")), "the second fence to be fired");
        await pair.waitFor(async () => {
          const status = await pair.node("secondary").status();
          if (status?.pulse === undefined) return false;
          assert.equal(status.pulse.role, "standby");
          const firing = status.fences.filter((fence) => fence.firing).map(({ name }) => name);
          return /exec-2 is to confirm first/.test(status.pulse.reason) && firing.join() === "exec-2";
        }, "the standby waits for its second fence");
        assert.equal(hasAddress(pair, "primary"), true, "it serves on meanwhile");
        assert.equal(hasAddress(pair, "secondary"), false);
        await pair.losePower("primary");
        writeFileSync(at("off"), "");
        await waitForRole(pair, "secondary", "active");
      });
      assertNeverTwo(result);
      assertAnsweredLast(result, pair, "secondary");
      pair.segment.unblock("primary", "secondary");
      pair.segment.unblock("secondary", "primary");
      await pair.returnPower("primary");
      await pair.settled("primary");
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test("R32: where the fence cannot confirm, the operator's word counts, and not while the other node is heard", async () => {
  await withPair({ config: { fences: [{ plugin: "exec", command: ["false"] }] } }, async (pair) => {
    const early = await pair.node("secondary").cli("peer", "confirm-dead", "--yes");
    assert.notEqual(early.code, 0);
    assert.match(early.err, /is heard/);
    await pair.losePower("primary");
    await hasAlarm(pair, "secondary", "FENCE_FAILED", /exec failed/);
    assert.equal(hasAddress(pair, "secondary"), false);
    const { code, out, err } = await pair.node("secondary").cli("peer", "confirm-dead", "--yes");
    assert.equal(code, 0, err);
    assert.match(out, /counts as dead/);
    await waitForRole(pair, "secondary", "active");
  });
});

test("R30 R13: a standby that reaches no gateway does not take over, and does once it reaches it", async () => {
  const arbiters = [{ plugin: "ping", targets: ["10.77.0.1"], timeoutMs: 100 }];
  await withPair({ machines: { gateway: "10.77.0.1" }, config: { arbiters, lease: "60s" } }, async (pair) => {
    const result = await watched(pair, async () => {
      pair.segment.cut("gateway");
      // Advice is asked for at suspicion and not waited for, and a busy machine may be late with it. So the suspicion
      // comes first: the primary falls silent while its kernel still answers.
      pair.node("primary").signal("SIGSTOP");
      await pair.waitFor(
        async () => (await pair.node("secondary").status())?.arbiters[0]?.verdict === "denied",
        "the gateway is asked at suspicion, and does not answer",
      );
      await pair.losePower("primary");
      await hasAlarm(pair, "secondary", "ARBITER_DENIES", /ping denies it: 10\.77\.0\.1 /);
      assert.equal(hasAddress(pair, "secondary"), false);
      pair.segment.mend("gateway");
      await waitForRole(pair, "secondary", "active");
    });
    assertNeverTwo(result);
    assertAnsweredLast(result, pair, "secondary");
  });
});
