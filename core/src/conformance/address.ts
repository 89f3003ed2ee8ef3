/**
 * What every address backend must show, as tests of node:test. The test file gives a machine of its own (see
 * private-network.ts) whose kernel is asked past the backend; each test makes, starts and stops its own backend.
 */

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
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
export type AddressTest = readonly [string, () => Promise<void>];

/** The deadlines of the contract, and for an outcome a slack: a busy machine fails nobody by a few milliseconds. */
const startMs = 10_000;
const stopMs = 5000;
const outcomeMs = 5000;

export function addressConformance(suite: AddressSuite): void {
  noteSuite("address");
  describe(`${suite.name} is an address backend`, () => {
    for (const [what, work] of addressTests(suite)) test(what, work);
  });
}

export function addressTests(suite: AddressSuite): readonly AddressTest[] {
  const started = (work: Work) => async () => {
    const backend = suite.make();
    const reports = recordingReports();
    try {
      await within("start", backend.start(reports), startMs);
      await work(backend, reports);
    } finally {
      await within("stop", backend.stop(), stopMs);
      for (const address of suite.present()) suite.remove(address);
    }
  };
  return [
    ["acquire and release may come twice, and change nothing the second time", started(acquiresTwice)],
    ["synchronous methods return at once and never throw, in every state", () => staysQuiet(suite)],
    ["what it says of itself is one line, in every state", () => saysOneLine(suite)],
    ["stop settles also when it was never started", async () => within("stop", suite.make().stop(), stopMs)],
    ["stopped it reports nothing more", started(silentAfterStop(suite))],
    ["holding is asked of the kernel", started(holdsAsksTheKernel(suite))],
    ...(suite.takesAddresses ? takingAddresses(suite, started) : []),
  ];
}

function takingAddresses(
  suite: AddressSuite,
  started: (work: Work) => () => Promise<void>,
): readonly AddressTest[] {
  const { refuseSecond } = suite;
  const refusing: AddressTest[] =
    refuseSecond === undefined
      ? []
      : [["all or none: when one address is refused, none is left", started(allOrNone(suite, refuseSecond))]];
  return [
    ["R6: start removes an address that a former run left behind", () => clearsAtStart(suite, started)],
    ["all addresses come and go as one", started(movesAsOne(suite))],
    ["what a stranger takes or adds is seen when it is asked", started(seesStrangers(suite))],
    ["stop leaves nothing behind, also when it was not released", started(stopsHeld(suite))],
    ["an acquire right after a release, many times, ends as it was asked to", started(alternates(suite))],
    [
      "withdraw removes what an instance that never started finds, and may come twice",
      () => withdraws(suite),
    ],
    ["every protection says how it holds or why not", started(explainsProtections)],
    ...refusing,
  ];
}

async function clearsAtStart(
  suite: AddressSuite,
  started: (work: Work) => () => Promise<void>,
): Promise<void> {
  for (const address of suite.haAddresses) suite.add(address);
  await started(async () => assert.deepEqual(suite.present(), []))();
}

function stopsHeld(suite: AddressSuite): Work {
  return async (backend) => {
    assert.equal(await within("acquire", backend.acquire(3), outcomeMs), "confirmed");
    await within("stop", backend.stop(), stopMs);
    assert.deepEqual(suite.present(), []);
  };
}

/** What happens to the addresses afterwards is nobody's business any more: pulse has ended. */
function silentAfterStop(suite: AddressSuite): Work {
  return async (backend, reports) => {
    await within("acquire", backend.acquire(1), outcomeMs);
    await within("stop", backend.stop(), stopMs);
    const heard = reports.all.length;
    for (const address of suite.haAddresses) suite.add(address);
    for (const address of suite.haAddresses) suite.remove(address);
    await pause(100);
    assert.deepEqual(reports.all.slice(heard), [], "a plugin that was stopped calls nothing back");
  };
}

async function acquiresTwice(backend: AddressBackend): Promise<void> {
  for (const _ of [1, 2]) assert.equal(await within("acquire", backend.acquire(1)), "confirmed");
  for (const _ of [1, 2]) assert.equal(await within("release", backend.release()), "confirmed");
}

/** Every synchronous method, in the states not started, started, held, released and stopped. */
async function staysQuiet(suite: AddressSuite): Promise<void> {
  const backend = suite.make();
  const took: Record<string, number[]> = {};
  const timed = (name: string, call: () => unknown) => {
    const beganMs = performance.now();
    const answer = call();
    took[name] = [...(took[name] ?? []), performance.now() - beganMs];
    assert.equal(answer, undefined, `${name} is synchronous and has no answer`);
  };
  const callAll = () => {
    timed("renew", () => backend.renew?.());
    timed("armClaims", () => backend.armClaims?.([{ epoch: 5, token: new Uint8Array(16).fill(5) }]));
    timed("armClaims", () => backend.armClaims?.([]));
    timed("announce", () => backend.announce?.());
    timed("probeAddress", () => backend.probeAddress?.());
    timed("probeNeighbours", () => backend.probeNeighbours?.());
    timed("drain", () => backend.drain?.());
    const protections = backend.protections?.() ?? [];
    assert.ok(Array.isArray(protections), "protections is synchronous and gives a list");
    timed("dropLease", () => backend.dropLease?.());
  };
  callAll();
  await within("start", backend.start(recordingReports()), startMs);
  callAll();
  await within("acquire", backend.acquire(1), outcomeMs);
  callAll();
  await within("release", backend.release(), outcomeMs);
  callAll();
  await within("stop", backend.stop(), stopMs);
  callAll();
  if (suite.takesAddresses) assert.deepEqual(suite.present(), []);
  // The quickest of at least five: a busy machine holds up one or another, who waits for something is always late.
  const slow = Object.entries(took).filter(([, times]) => Math.min(...times) >= blockedMs);
  assert.deepEqual(Object.fromEntries(slow), {}, "milliseconds; each has to return within one");
}

const blockedMs = 5;

async function saysOneLine(suite: AddressSuite): Promise<void> {
  const backend = suite.make();
  const check = () => assert.match(backend.describe(), /^[^\n]+$/);
  check();
  await within("start", backend.start(recordingReports()), startMs);
  check();
  await within("acquire", backend.acquire(1), outcomeMs);
  check();
  await within("stop", backend.stop(), stopMs);
  check();
}

/** Behind its back one address goes, and comes again: what was answered to `acquire` is not what is so now. */
function seesStrangers(suite: AddressSuite): Work {
  return async (backend) => {
    const asked = () => within("holds", backend.holds(), outcomeMs);
    const [first = "", ...others] = suite.haAddresses;
    assert.equal(await within("acquire", backend.acquire(1), outcomeMs), "confirmed");
    suite.remove(first);
    assert.equal(
      await asked(),
      "absent",
      `${first} was taken off this machine, and the others alone are not all`,
    );
    assert.equal(await within("acquire", backend.acquire(1), outcomeMs), "confirmed");
    assert.equal(suite.present().length, suite.haAddresses.length, "acquired again, all of them are there");
    assert.equal(await within("release", backend.release(), outcomeMs), "confirmed");
    for (const address of [first, ...others]) suite.add(address);
    assert.equal(await asked(), "held", "a stranger has put them all on this machine");
    assert.equal(await within("release", backend.release(), outcomeMs), "confirmed");
    assert.deepEqual(suite.present(), [], "confirmed means that they are gone, whoever had put them there");
  };
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
      assert.deepEqual(
        [acquired, released, again],
        ["confirmed", "confirmed", "confirmed"],
        "acquire, release and acquire, asked for at once, are done one after the other, and each is confirmed",
      );
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
  assert.ok(
    protections.length > 0,
    "`protections` names at least one: what is missing is said with `inForce: false` and why",
  );
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
