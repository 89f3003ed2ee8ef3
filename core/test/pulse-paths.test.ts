/** What is said about frames that do not count: a neighbouring pair on the same medium is no news, a misnamed cluster is. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { recordingLog } from "../src/conformance/capabilities.js";
import type { Beat } from "../src/heartbeat/beat.js";
import { beatKeys, encodeBeat } from "../src/heartbeat/wire.js";
import type { Happening } from "../src/pulse/happening.js";
import { createPaths } from "../src/pulse/paths.js";
import { testBeat, testRing } from "./beat-kit.js";

function paths() {
  let nowMs = 1000;
  const told: Happening[] = [];
  const log = recordingLog();
  const made = createPaths({
    transports: [{ name: "udp", class: "client", transport: undefined }],
    self: "primary",
    nonce: "fedcba9876543210",
    cluster: "ours",
    keyRing: testRing(1),
    clock: { nowMs: () => nowMs },
    log,
    tell: (happening) => void told.push(happening),
    sendThroughNode() {},
  });
  let sequence = 0;
  return {
    made,
    told,
    log,
    hear(cluster: string, changes: Partial<Beat> = {}) {
      sequence += 1;
      const beat = testBeat({ sequence, echo: undefined, ...changes });
      made.receive("udp", encodeBeat(beat, beatKeys(cluster, testRing(1))));
    },
    pass: (forMs: number) => {
      nowMs += forMs;
    },
  };
}

test("a neighbouring pair on the medium is not mentioned while the peer is heard there", async () => {
  const { made, told, log, hear, pass } = paths();
  await made.start();
  for (let turn = 0; turn < 1000; turn += 1) {
    hear("ours");
    hear("neighbours");
    pass(20);
  }
  assert.equal(told.length, 1000);
  assert.deepEqual(log.lines, []);
  assert.ok(!made.describe("udp").includes("cluster"), made.describe("udp"));
  // R10: a pass that read their frames may have left one of ours behind, so it counts as one that delivered.
  assert.equal(made.delivered, 2000);
});

test("beats of another cluster are mentioned where none of ours are heard, once in ten seconds", async () => {
  const { made, told, log, hear, pass } = paths();
  await made.start();
  for (let turn = 0; turn < 1000; turn += 1) {
    hear("misnamed");
    pass(20);
  }
  assert.deepEqual(told, []);
  assert.equal(log.lines.length, 2);
  assert.match(made.describe("udp"), /a beat of another cluster/);
});
