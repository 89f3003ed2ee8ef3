/**
 * A broker on a third machine in a real pair: its death is the loss of a path and nothing else, and while it lives two
 * nodes that the network keeps apart stay one pair (G6).
 */

import assert from "node:assert/strict";
import { test } from "node:test";
import { makeBroker } from "../lab/broker.js";
import type { Pair } from "../lab/pair.js";
import { sides, startBoth } from "../lab/pair.js";
import { assertAnsweredLast, assertNeverTwo, hasAddress, watched, withPair } from "./fixture.js";

const brokerAddress = "10.77.0.8";
/** As long as would be enough for a takeover several times over: the ceiling of the dead time is 400 ms. */
const longMs = 2000;
const paths = [
  { plugin: "udp", class: "client" },
  { plugin: "mqtt", class: "out-of-band", url: `mqtt://${brokerAddress}`, silence: "1s" },
];

/** What both nodes say of a path; `works`: heard lately and both ways. */
async function seen(pair: Pair, name: string) {
  return Promise.all(
    sides.map(async (side) => {
      const path = (await pair.node(side).status())?.pulse?.paths.find((one) => one.name === name);
      const works = path?.twoWay === true && (path.lastHeardMsAgo ?? Infinity) < 1000;
      return { works, description: path?.description ?? "" };
    }),
  );
}

async function works(pair: Pair, name: string, wanted: boolean): Promise<void> {
  const what = `${name} ${wanted ? "works" : "is lost"}`;
  await pair.waitFor(async () => (await seen(pair, name)).every((one) => one.works === wanted), what);
}

async function epochOf(pair: Pair): Promise<number | undefined> {
  return (await pair.node("primary").status())?.pulse?.epoch;
}

test("G6: the broker dies and nothing moves; the network between the nodes is cut, and the broker keeps them one pair", async () => {
  const options = { config: { heartbeat: { paths } }, machines: { broker: brokerAddress }, cold: true };
  await withPair(options, async (pair) => {
    const broker = makeBroker(pair.segment, "broker", pair.folder);
    broker.start();
    await startBoth(pair);
    await works(pair, "mqtt", true);
    const epoch = await epochOf(pair);
    const result = await watched(pair, async () => {
      await broker.kill();
      await works(pair, "mqtt", false);
      await pair.waitFor(
        async () => (await seen(pair, "mqtt")).every(({ description }) => /: down, /.test(description)),
        "both say that the broker is down",
      );
      broker.start();
      await works(pair, "mqtt", true);
      pair.segment.block("primary", "secondary");
      pair.segment.block("secondary", "primary");
      await works(pair, "udp", false);
      const fromMs = (await pair.node("primary").status())?.pulse?.atMs ?? Number.NaN;
      await pair.waitFor(async () => {
        const [primary, secondary] = await Promise.all(sides.map((side) => pair.node(side).status()));
        if (primary?.pulse === undefined || secondary?.pulse === undefined) return false;
        assert.deepEqual([primary.pulse.role, secondary.pulse.role], ["active", "standby"]);
        assert.ok(primary.pulse.peer.alive && secondary.pulse.peer.alive, "each knows that the other lives");
        return primary.pulse.atMs > fromMs + longMs;
      }, "so long without a network between them");
      pair.segment.unblock("primary", "secondary");
      pair.segment.unblock("secondary", "primary");
      await works(pair, "udp", true);
      await pair.settled("primary");
    });
    assertNeverTwo(result);
    assertAnsweredLast(result, pair, "primary");
    assert.equal(hasAddress(pair, "secondary"), false);
    assert.equal(await epochOf(pair), epoch, "nothing moved");
  });
});
