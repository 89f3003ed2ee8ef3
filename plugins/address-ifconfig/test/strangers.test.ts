/**
 * What others do to the machine, and how ifconfig can fail: an administrator's hands on the addresses, another machine
 * that has them, a command that hangs, is refused or is another system's.
 */

import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { type HeardReports, recordingReports } from "@understudy/core/conformance/address";
import {
  makePlugin,
  monotonicClock,
  type RecordingLog,
  recordingLog,
  testNode,
} from "@understudy/core/conformance/capabilities";
import { until } from "@understudy/core/conformance/until";
import type { AddressBackend, Plugin } from "@understudy/core/public";
import plugin from "../src/plugin.js";
import { type InterfaceSetup, type Machine, makeMachine, standIn } from "./machine.js";

const address = "10.98.1.100";
const haAddresses = [{ address, family: 4, prefixLength: 24, interfaceName: undefined }] as const;
const usual: readonly InterfaceSetup[] = [
  { name: "net0", address: "10.98.1.2/24" },
  { name: "net1", address: "192.0.2.2/24" },
];

interface Running {
  readonly machine: Machine;
  readonly backend: AddressBackend;
  readonly reports: HeardReports;
  readonly log: RecordingLog;
}

let running: Running | undefined;
let feeding: NodeJS.Timeout | undefined;

afterEach(async () => {
  clearInterval(feeding);
  running?.machine.undo("hang");
  running?.machine.undo("denied");
  await running?.backend.stop();
  running?.machine.remove();
  running = undefined;
});

function make(interfaces = usual, options: object = {}): Running {
  const machine = makeMachine(interfaces);
  process.env.UNDERSTUDY_IFCONFIG_STATE = machine.folder;
  const log = recordingLog();
  const needs = { node: testNode({ haAddresses }), clock: monotonicClock(), log };
  const backend = makePlugin(plugin as Plugin<"address">, { command: standIn, ...options }, needs);
  running = { machine, backend, reports: recordingReports(), log };
  clearInterval(feeding);
  feeding = setInterval(() => backend.renew?.(), 20);
  return running;
}

async function holding(interfaces = usual): Promise<Running> {
  const made = make(interfaces);
  await made.backend.start(made.reports);
  assert.equal(await made.backend.acquire(3), "confirmed");
  return made;
}

const heard = ({ reports }: Running, line: RegExp) =>
  until(String(line), () => reports.all.some((one) => line.test(one)));

test("R7: an address that somebody else removes is reported and put back", async () => {
  const one = await holding();
  one.machine.ifconfig("net0", "inet", "removeif", address);
  await heard(one, /^addressRemoved 10\.98\.1\.100$/);
  await until("it is back", () => one.machine.flagsOf(address).includes("UP"));
});

test("R7: an address that somebody else sets down is reported and brought up again", async () => {
  const one = await holding();
  one.machine.ifconfig("net0:1", "inet", "down");
  assert.equal(await one.backend.holds(), "absent");
  await heard(one, /^addressRemoved 10\.98\.1\.100$/);
  await until("it is up", () => one.machine.flagsOf(address).includes("UP"));
  assert.equal(one.log.lines.filter(({ message }) => message.includes("could not be put back")).length, 0);
});

test("R1: an address that somebody else adds is reported and removed, on whatever interface", async () => {
  const one = await holding();
  assert.equal(await one.backend.release(), "confirmed");
  one.machine.ifconfig("net1", "inet", "addif", `${address}/24`, "up");
  await heard(one, /^addressAdded 10\.98\.1\.100$/);
  await until("it is gone", () => one.machine.present([address]).length === 0);
});

test("a duplicate ends the right to answer until the next acquire, and is given up", async () => {
  const one = await holding();
  one.machine.arrange("others", `${address}\n`);
  await heard(one, /^leaseLapsed another machine answers for 10\.98\.1\.100.*net0:1.*DUPLICATE/);
  await until("it is given up", () => one.machine.present([address]).length === 0);
  assert.equal(await one.backend.holds(), "absent");
  one.machine.undo("others");
  assert.equal(await one.backend.acquire(5), "confirmed");
  assert.equal(await one.backend.holds(), "held");
});

test("the address is never the source of the node's own traffic", async () => {
  const one = await holding();
  assert.ok(one.machine.flagsOf(address).includes("DEPRECATED"));
});

test("a lost link is reported, and so is its return", async () => {
  const one = await holding();
  one.machine.setFlags("net0", "UP,BROADCAST,MULTICAST,IPv4");
  await heard(one, /^carrierChanged net0 false$/);
  one.machine.setFlags("net0", "UP,BROADCAST,RUNNING,MULTICAST,IPv4");
  await heard(one, /^carrierChanged net0 true$/);
});

test("a command that hangs is unknown, hangs nothing, and the next one is answered", async () => {
  const one = await holding();
  one.machine.arrange("hang");
  assert.equal(await one.backend.holds(), "unknown");
  assert.equal(await one.backend.acquire(5), "unknown");
  one.machine.undo("hang");
  await until("it is held again", async () => (await one.backend.acquire(7)) === "confirmed");
  assert.equal(await one.backend.release(), "confirmed");
  assert.deepEqual(one.machine.present([address]), []);
});

test("what ifconfig refuses is refused, leaves nothing behind, and says why", async () => {
  const one = await holding();
  assert.equal(await one.backend.release(), "confirmed");
  one.machine.arrange("refuse-up");
  assert.equal(await one.backend.acquire(5), "refused");
  assert.deepEqual(
    one.machine.present([address]),
    [],
    "the logical interface that was made is taken away again",
  );
  const complaint = one.log.lines.find(({ level }) => level === "error")?.fields.complaint;
  assert.match(String(complaint), /SIOCSLIFFLAGS/);
});

test("an address on a member of an IPMP group is held on the group's interface", async () => {
  const group = "front";
  const test = "UP,BROADCAST,RUNNING,MULTICAST,DEPRECATED,IPv4,NOFAILOVER";
  const one = await holding([
    { name: "net0", address: "10.98.1.12/24", flags: test, group },
    { name: "net1", address: "10.98.1.13/24", flags: test, group },
    { name: "ipmp0", address: "10.98.1.2/24", flags: "UP,BROADCAST,RUNNING,MULTICAST,IPv4,IPMP", group },
  ]);
  assert.equal(one.machine.interfaceOf(address), "ipmp0:1");
  assert.equal(await one.backend.holds(), "held");
});

test("R6: an address that cannot be removed stops the start, with what ifconfig said and whose it is", async () => {
  const own = make([{ name: "net0", address: `${address}/24` }]);
  await assert.rejects(own.backend.start(own.reports), {
    code: "IFCONFIG_ADDRESS_NOT_REMOVED",
    message: /10\.98\.1\.100 on net0 \(.*cannot remove interface: net0\)/,
  });
  own.machine.remove();
  const zone = make([...usual, { name: "net0:1", address: `${address}/24`, zone: "web" }]);
  zone.machine.arrange("denied");
  await assert.rejects(zone.backend.start(zone.reports), /net0:1 of zone web \(.*permission denied\)/);
});

test("a missing command and one of another system are refused by name", async () => {
  const missing = make(usual, { command: "/nonexistent/ifconfig" });
  await assert.rejects(missing.backend.start(missing.reports), { code: "IFCONFIG_MISSING" });
  missing.machine.remove();
  const other = make(usual, { command: "/bin/echo" });
  await assert.rejects(other.backend.start(other.reports), {
    code: "IFCONFIG_UNREADABLE",
    message: /printed "-a4"/,
  });
});

test("options that would not be one word of an interface are refused by the schema", () => {
  for (const options of [{ interface: "net0:1" }, { interface: "net0; reboot" }, { command: "ifconfig" }])
    assert.equal(plugin.config.safeParse(options).success, false, JSON.stringify(options));
});
