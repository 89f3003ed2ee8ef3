/**
 * A pair whose beats travel a multicast group alone, with routes and the source address moving along: what is promised
 * over unicast holds there too, and nothing of the network's set-up stays where the address was.
 */

import assert from "node:assert/strict";
import { test } from "node:test";
import {
  clientAddress,
  nodeAddresses,
  type Pair,
  pairHaAddress,
  type Side,
  sides,
  startBoth,
} from "../lab/pair.js";
import { assertAnsweredLast, assertNeverTwo, hasLease, waitForRole, watched, withPair } from "./fixture.js";

const config = {
  lease: "60s",
  heartbeat: { paths: [{ plugin: "udp", class: "client", multicast: { group: "224.0.0.77" } }] },
  address: [
    {
      plugin: "iproute2",
      label: "ha",
      preferredSource: true,
      routes: [{ to: "default", via: clientAddress, table: 100 }],
      rules: [{ from: true, table: 100 }],
    },
    { plugin: "garp", refresh: 1 },
  ],
};

const ip = (pair: Pair, side: Side, ...args: readonly string[]) => pair.segment.run(side, "ip", args);
const sourceOf = (pair: Pair, side: Side) =>
  / src (\S+)/.exec(ip(pair, side, "route", "get", "192.0.2.1"))?.[1];
const moved = (pair: Pair, side: Side) =>
  `${ip(pair, side, "route", "show", "table", "all", "proto", "85")}${ip(pair, side, "rule", "show").replace(/^(0|32766|32767):.*\n/gm, "")}`;

test("R5 R7: over a multicast group the claim frame ends a paused node's lease; routes and source go with the address", async () => {
  await withPair({ config, cold: true }, async (pair) => {
    for (const side of sides) ip(pair, side, "route", "add", "default", "via", clientAddress);
    await startBoth(pair);
    const serves = (side: Side, other: Side) =>
      pair.waitFor(
        () => sourceOf(pair, side) === pairHaAddress && moved(pair, other) === "",
        `routes are on ${side} alone`,
      );
    await serves("primary", "secondary");
    assert.equal(sourceOf(pair, "secondary"), nodeAddresses.secondary);
    await pair.waitFor(
      async () =>
        /agreed by (\d) of \1 neighbour/.test(
          (await pair.node("primary").status())?.pulse?.address?.join("; ") ?? "",
        ),
      "the segment agrees",
    );
    const result = await watched(pair, async () => {
      pair.node("primary").signal("SIGSTOP", "both");
      pair.segment.cut("primary");
      await waitForRole(pair, "secondary", "active");
      assert.equal(sourceOf(pair, "secondary"), pairHaAddress);
      assert.equal(hasLease(pair, "primary"), true, "nobody has told its kernel yet");
      pair.segment.mend("primary");
      await pair.waitFor(() => !hasLease(pair, "primary"), "the claim frame ends the lease");
      pair.node("primary").signal("SIGCONT", "both");
      await pair.settled("primary");
    });
    // The claim frame arrives with the first beat after the resume.
    assertNeverTwo(result, 50);
    assertAnsweredLast(result, pair, "primary");
    await serves("primary", "secondary");
  });
});
