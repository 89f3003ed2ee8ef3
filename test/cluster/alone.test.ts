/**
 * An active node whose peer is gone for good keeps serving: nothing that keeps its lease alive may need a neighbour to
 * answer (R2). It is watched from when the kernel has given the neighbour up; UNDERSTUDY_LONG=1: for ten minutes.
 */

import assert from "node:assert/strict";
import { test } from "node:test";
import { monotonicMs } from "../lab/packet-socket.js";
import { nodeAddresses, startBoth } from "../lab/pair.js";
import { assertAnsweredLast, assertNeverTwo, macOf, watched, withPair } from "./fixture.js";

const aloneMs = process.env.UNDERSTUDY_LONG === "1" ? 600_000 : 8000;
/** A neighbour's entry lives half a minute and more by default. */
const shortLives = ["base_reachable_time_ms=500", "delay_first_probe_time=1", "retrans_time_ms=200"];

test("R2: an active node alone goes on for as long as it is watched", async () => {
  await withPair({ cold: true }, async (pair) => {
    for (const setting of shortLives)
      pair.segment.run("primary", "sysctl", ["-qw", `net.ipv4.neigh.eth0.${setting}`]);
    await startBoth(pair);
    await pair.losePower("secondary");
    await pair.waitFor(
      async () => (await pair.node("primary").status())?.pulse?.peer.alive === false,
      "the primary knows that it is alone",
    );
    const neighbour = () => pair.segment.run("primary", "ip", ["neigh", "show", nodeAddresses.secondary]);
    await pair.waitFor(() => /FAILED|INCOMPLETE/.test(neighbour()), "the kernel has given the secondary up");
    const before = (await pair.node("primary").status())?.pulse;
    let fromMs = 0;
    const result = await watched(pair, async () => {
      // The client that watches takes a while to start.
      fromMs = monotonicMs();
      await pair.waitFor(() => monotonicMs() > fromMs + aloneMs, "the time alone", 2 * aloneMs);
    });
    const after = (await pair.node("primary").status())?.pulse;
    assert.deepEqual(
      [after?.role, after?.roleSinceMs, after?.epoch],
      ["active", before?.roleSinceMs, before?.epoch],
    );
    assertNeverTwo(result);
    assertAnsweredLast(result, pair, "primary");
    const mac = macOf(pair, "primary");
    for (const level of ["arp", "icmp"] as const) {
      const answered = new Set(
        result.samples
          .filter((sample) => sample.level === level && (level === "icmp" || sample.from === mac))
          .map(({ atMs }) => Math.floor((atMs - fromMs) / 1000)),
      );
      const silent = Array.from({ length: aloneMs / 1000 - 2 }, (_, second) => second + 1).filter(
        (second) => !answered.has(second),
      );
      assert.deepEqual(silent, [], `seconds alone in which nothing answered by ${level}`);
    }
    await pair.returnPower("secondary");
    await pair.settled("primary");
  });
});
