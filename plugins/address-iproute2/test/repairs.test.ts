/**
 * Who removed an HA address, where events come late: the kernel tells through another process than it answers by. The
 * kernel here is a set of addresses; its events are told by the test, when it wants.
 */

import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { recordingReports } from "@understudy/core/conformance/address";
import { recordingLog, testNode } from "@understudy/core/conformance/capabilities";
import type { Wanted } from "../src/backend.js";
import type { FoundAddress, PlacedAddress } from "../src/ip-commands.js";
import type { Parts } from "../src/parts.js";
import { makeRepairs } from "../src/repairs.js";

const address = "10.98.0.100";
const placed: PlacedAddress = {
  address,
  family: 4,
  prefixLength: 32,
  interfaceName: "eth0",
  routeExists: true,
};
const found: FoundAddress = { address, prefixLength: 32, interfaceName: "eth0", interfaceIndex: 2 };

let kernel: Set<string>;
let wanted: Wanted;
let nowMs: number;

beforeEach(() => {
  kernel = new Set();
  wanted = { mode: "absent", generation: 0, lapsed: undefined };
  nowMs = 0;
});

function machine() {
  const table = {
    add: async ({ address: added }: PlacedAddress) => {
      kernel.add(added);
      return { complaint: undefined };
    },
    remove: async ({ address: removed }: FoundAddress) => kernel.delete(removed),
    find: async () => (kernel.has(address) ? [found] : []),
  };
  const parts = { placed: [placed], table, lease: { check: async () => "intact" } } as unknown as Parts;
  const reports = recordingReports();
  const repairs = makeRepairs({
    node: testNode({ haAddresses: [placed] }),
    clock: { nowMs: () => nowMs },
    log: recordingLog(),
    wanted,
    hasLapsed: () => false,
    parts: () => parts,
    reports: () => reports,
  });
  const acquire = async (meanwhile = () => {}) => {
    wanted.mode = "acquiring";
    wanted.generation += 1;
    await table.add(placed);
    meanwhile();
    wanted.mode = "held";
    await repairs.taken(parts);
  };
  const release = async () => {
    wanted.mode = "releasing";
    wanted.generation += 1;
    await repairs.removeAll(parts);
    wanted.mode = "absent";
  };
  return { repairs, reports, acquire, release };
}

/** What a promise that nobody waits for does with answers that are there. */
const settled = () => new Promise((resolve) => setImmediate(resolve));

test("what somebody removes during an acquire is back when that is confirmed, and is reported", async () => {
  const { repairs, reports, acquire } = machine();
  await acquire(() => {
    kernel.delete(address);
    repairs.gone(found);
  });
  assert.ok(kernel.has(address));
  assert.deepEqual(reports.all, [`addressRemoved ${address}`]);
});

test("the event of a removal of our own is not taken for a stranger's, during the next acquire or long after", async () => {
  const { repairs, reports, acquire, release } = machine();
  await acquire();
  await release();
  await acquire(() => repairs.gone(found));
  await release();
  await acquire();
  for (nowMs = 1000; nowMs <= 3000; nowMs += 1000) await repairs.check();
  repairs.gone(found);
  await settled();
  assert.deepEqual(reports.all, []);
});

test("a removal of our own whose event never came hides nobody else's", async () => {
  const { repairs, reports, acquire, release } = machine();
  await acquire();
  await release();
  await acquire();
  kernel.delete(address);
  repairs.gone(found);
  await settled();
  assert.ok(kernel.has(address));
  nowMs = 10_000;
  kernel.delete(address);
  repairs.gone(found);
  await settled();
  assert.ok(kernel.has(address));
  assert.deepEqual(reports.all, [`addressRemoved ${address}`, `addressRemoved ${address}`]);
});
