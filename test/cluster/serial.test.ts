/**
 * A serial line in a real pair, at the pace of a real one (G6): while it lives, two nodes that the network keeps apart
 * know of each other, and nobody takes over what is served.
 */

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Pair, Side } from "../lab/pair.js";
import { sides } from "../lab/pair.js";
import { startSerialLine } from "../lab/serial-line.js";
import { assertAnsweredLast, assertNeverTwo, hasAddress, watched, withPair } from "./fixture.js";

/** As long as would be enough for a takeover several times over: the ceiling of the dead time is 400 ms. */
const longMs = 2000;
const lostAfterMs = 500;

async function pathsOf(pair: Pair, side: Side) {
  const status = (await pair.node(side).status())?.pulse;
  const carries = (name: string) => {
    const path = status?.paths.find((one) => one.name === name);
    return path?.twoWay === true && (path.lastHeardMsAgo ?? Infinity) < lostAfterMs;
  };
  return { status, udp: carries("udp"), serial: carries("serial") };
}

test("G6: the network between the nodes is cut while clients reach both; the serial line keeps them one pair", async () => {
  const line = await startSerialLine(115_200);
  const device = { primary: line.primary, secondary: line.secondary };
  const paths = [
    { plugin: "udp", class: "client" },
    { plugin: "serial", class: "private", device, baud: 115_200 },
  ];
  try {
    await withPair({ config: { heartbeat: { paths } } }, async (pair) => {
      const bothWays = async (wanted: { readonly udp: boolean; readonly serial: boolean }) => {
        const found = await Promise.all(sides.map((side) => pathsOf(pair, side)));
        return found.every(({ udp, serial }) => udp === wanted.udp && serial === wanted.serial);
      };
      await pair.waitFor(() => bothWays({ udp: true, serial: true }), "both paths carry");
      const epoch = (await pair.node("primary").status())?.pulse?.epoch;
      const result = await watched(pair, async () => {
        pair.segment.block("primary", "secondary");
        pair.segment.block("secondary", "primary");
        await pair.waitFor(() => bothWays({ udp: false, serial: true }), "the serial line alone carries");
        const fromMs = (await pathsOf(pair, "primary")).status?.atMs ?? Number.NaN;
        await pair.waitFor(async () => {
          const [primary, secondary] = await Promise.all(sides.map((side) => pathsOf(pair, side)));
          if (primary?.status === undefined || secondary?.status === undefined) return false;
          assert.deepEqual([primary.status.role, secondary.status.role], ["active", "standby"]);
          assert.ok(
            primary.status.peer.alive && secondary.status.peer.alive,
            "each knows that the other lives",
          );
          return primary.status.atMs > fromMs + longMs && secondary.status.atMs > fromMs + longMs;
        }, "so long without a network between them");
        pair.segment.unblock("primary", "secondary");
        pair.segment.unblock("secondary", "primary");
        await pair.waitFor(() => bothWays({ udp: true, serial: true }), "both paths carry again");
        await line.cut();
        await pair.waitFor(() => bothWays({ udp: true, serial: false }), "the pulled cable is seen");
        line.mend();
        await pair.waitFor(() => bothWays({ udp: true, serial: true }), "the cable is back");
        await pair.settled("primary");
      });
      assertNeverTwo(result);
      assertAnsweredLast(result, pair, "primary");
      assert.equal(hasAddress(pair, "secondary"), false);
      assert.equal((await pair.node("primary").status())?.pulse?.epoch, epoch, "nothing moved");
    });
  } finally {
    await line.close();
  }
});
