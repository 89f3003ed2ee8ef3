/**
 * What every address backend must show, as tests of node:test. The test file gives a machine of its own (see
 * private-network.ts) whose kernel is asked past the backend; each test makes, starts and stops its own backend.
 */

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { AddressBackend, AddressReports } from "../plugin/contract.js";
import { noteSuite } from "./suites-run.js";
import { until, within } from "./until.js";

export interface AddressSuite {
  readonly name: string;
  /** A new backend, not started, with at least two HA addresses. */
  make(): AddressBackend;
  readonly haAddresses: readonly string[];
  /** False for a member of a chain that only announces: it leaves the addresses as they are. */
  readonly takesAddresses: boolean;
  /** The HA addresses on this machine now, as its kernel says. */
  present(): readonly string[];
  /** Puts one on this machine, as a stranger would, or takes it off. */
  add(address: string): void;
  remove(address: string): void;
  /** Makes the kernel refuse the second HA address until the returned function is called; absent: cannot be done. */
  readonly refuseSecond?: () => () => void;
}

export interface HeardReports extends AddressReports {
  readonly all: readonly string[];
}

/** Keeps every report as one line, such as "addressRemoved 10.0.0.4". */
export function recordingReports(): HeardReports {
  const all: string[] = [];
  const note =
    (name: string) =>
    (...values: readonly unknown[]) =>
      void all.push(
        [name, ...values.map((value) => (typeof value === "object" ? JSON.stringify(value) : value))].join(
          " ",
        ),
      );
  return {
    all,
    addressRemoved: note("addressRemoved"),
    addressAdded: note("addressAdded"),
    addressAnswered: note("addressAnswered"),
    neighbourHeard: note("neighbourHeard"),
    carrierChanged: note("carrierChanged"),
    segmentAgreed: note("segmentAgreed"),
    leaseLapsed: note("leaseLapsed"),
    protectionsChanged: note("protectionsChanged"),
  };
}

type Work = (backend: AddressBackend, reports: HeardReports) => Promise<void>;

export function addressConformance(suite: AddressSuite): void {
  noteSuite("address");
  const started = (work: Work) => async () => {
    const backend = suite.make();
    const reports = recordingReports();
    try {
      await within("start", backend.start(reports), 10_000);
      await work(backend, reports);
    } finally {
      await within("stop", backend.stop(), 5000);
      for (const address of suite.present()) suite.remove(address);
    }
  };
  describe(`${suite.name} is an address backend`, () => {
    test("acquire and release may come twice, and change nothing the second time", started(acquiresTwice));
    test("synchronous methods return and never throw, in every state", () => staysQuiet(suite));
    test("what it says of itself is one line, in every state", () => saysOneLine(suite));
    test("stop settles also when it was never started", async () =>
      within("stop", suite.make().stop(), 5000));
    test("holding is asked of the kernel", started(holdsAsksTheKernel(suite)));
    if (suite.takesAddresses) takingAddresses(suite, started);
  });
}

function takingAddresses(suite: AddressSuite, started: (work: Work) => () => Promise<void>): void {
  test("R6: start removes an address that a former run left behind", async () => {
    for (const address of suite.haAddresses) suite.add(address);
    await started(async () => assert.deepEqual(suite.present(), []))();
  });
  test("all addresses come and go as one", started(movesAsOne(suite)));
  test("stop leaves nothing behind, also when it was not released", async () => {
    await started(async (backend) => {
      assert.equal(await backend.acquire(3), "confirmed");
      await within("stop", backend.stop(), 5000);
      assert.deepEqual(suite.present(), []);
    })();
  });
  test("an acquire right after a release, many times, ends as it was asked to", started(alternates(suite)));
  test("withdraw removes what an instance that never started finds, and may come twice", () =>
    withdraws(suite));
  test("every protection says how it holds or why not", started(explainsProtections));
  if (suite.refuseSecond !== undefined) {
    const refuse = suite.refuseSecond;
    test("all or none: when one address is refused, none is left", started(allOrNone(suite, refuse)));
  }
}

async function acquiresTwice(backend: AddressBackend): Promise<void> {
  for (const _ of [1, 2]) assert.equal(await within("acquire", backend.acquire(1)), "confirmed");
  for (const _ of [1, 2]) assert.equal(await within("release", backend.release()), "confirmed");
}

/** Every synchronous method, in the states not started, started, held, released and stopped. */
async function staysQuiet(suite: AddressSuite): Promise<void> {
  const backend = suite.make();
  const callAll = () => {
    backend.renew?.();
    backend.armClaims?.([{ epoch: 5, token: new Uint8Array(16).fill(5) }]);
    backend.armClaims?.([]);
    backend.announce?.();
    backend.probeAddress?.();
    backend.probeNeighbours?.();
    backend.drain?.();
    backend.protections?.();
    backend.dropLease?.();
  };
  callAll();
  await backend.start(recordingReports());
  callAll();
  await backend.acquire(1);
  callAll();
  await backend.release();
  callAll();
  await backend.stop();
  callAll();
  if (suite.takesAddresses) assert.deepEqual(suite.present(), []);
}

async function saysOneLine(suite: AddressSuite): Promise<void> {
  const backend = suite.make();
  const check = () => assert.match(backend.describe(), /^[^\n]+$/);
  check();
  await backend.start(recordingReports());
  check();
  await backend.acquire(1);
  check();
  await backend.stop();
  check();
}

function holdsAsksTheKernel(suite: AddressSuite): Work {
  return async (backend) => {
    assert.equal(await backend.holds(), "absent");
    if (suite.takesAddresses) await backend.acquire(1);
    else for (const address of suite.haAddresses) suite.add(address);
    assert.equal(await backend.holds(), "held");
    if (suite.takesAddresses) await backend.release();
    const [first] = suite.haAddresses;
    if (!suite.takesAddresses && first !== undefined) suite.remove(first);
    assert.equal(await backend.holds(), "absent");
  };
}

function movesAsOne(suite: AddressSuite): Work {
  return async (backend) => {
    assert.equal(await backend.acquire(1), "confirmed");
    assert.deepEqual([...suite.present()].sort(), [...suite.haAddresses].sort());
    assert.equal(await backend.release(), "confirmed");
    assert.deepEqual(suite.present(), []);
  };
}

function alternates(suite: AddressSuite): Work {
  return async (backend, reports) => {
    for (let round = 1; round <= 5; round += 1) {
      const [acquired, released, again] = await Promise.all([
        backend.acquire(round),
        backend.release(),
        backend.acquire(round),
      ]);
      assert.deepEqual([acquired, released, again], ["confirmed", "confirmed", "confirmed"]);
      assert.equal(suite.present().length, suite.haAddresses.length);
    }
    assert.equal(await backend.release(), "confirmed");
    assert.deepEqual(suite.present(), []);
    const taken = reports.all.filter((line) => /^address(Added|Removed)/.test(line));
    assert.deepEqual(taken, [], "its own doing is not taken for a stranger's");
  };
}

async function withdraws(suite: AddressSuite): Promise<void> {
  for (const address of suite.haAddresses) suite.add(address);
  const stranger = suite.make();
  for (const _ of [1, 2])
    assert.equal(await within("withdraw", stranger.withdraw?.() ?? fail()), "confirmed");
  assert.deepEqual(suite.present(), []);
}

function fail(): never {
  throw new Error("a backend that takes addresses has `withdraw` (rule R12)");
}

async function explainsProtections(backend: AddressBackend): Promise<void> {
  const protections = backend.protections?.() ?? [];
  assert.ok(protections.length > 0);
  for (const { name, detail } of protections) assert.match(detail, /^[^\n]+$/, name);
}

function allOrNone(suite: AddressSuite, refuseSecond: () => () => void): Work {
  return async (backend) => {
    const allow = refuseSecond();
    try {
      assert.equal(await within("acquire", backend.acquire(1)), "refused");
      assert.deepEqual(suite.present(), []);
      assert.equal(await backend.holds(), "absent");
    } finally {
      allow();
    }
    await until("it can be acquired again", async () => (await backend.acquire(2)) === "confirmed");
    assert.equal(suite.present().length, suite.haAddresses.length);
    assert.equal(await backend.release(), "confirmed");
  };
}
