/** G2 without a kernel lease: what a killed and what a hung process leave behind. Processes and signals are real. */

import assert from "node:assert/strict";
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { existsSync, renameSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterEach, test } from "node:test";
import { pathToFileURL } from "node:url";
import { until } from "@understudy/core/conformance/until";
import { signalGroup } from "@understudy/core/public";
import { type Machine, makeMachine } from "./machine.js";

const haAddresses = [
  { address: "10.98.1.100", family: 4, prefixLength: 24 },
  { address: "fd00:98:1::100", family: 6, prefixLength: 64 },
] as const;
const addresses = haAddresses.map(({ address }) => address);
let machine: Machine | undefined;
let holders: ChildProcess[] = [];
let said: string[] = [];

afterEach(async () => {
  for (const holder of holders) {
    holder.kill("SIGCONT");
    holder.kill("SIGKILL");
  }
  holders = [];
  // The guard of a killed holder works with the machine's files until it is done.
  await until("nothing is left", () => machine?.present(addresses).length === 0);
  // Its last commands may still be tidying up there.
  await until("the files are gone", () => {
    machine?.remove();
    return !existsSync(machine?.folder ?? "");
  });
});

async function holding(): Promise<{ readonly machine: Machine; readonly holder: ChildProcess }> {
  const made = makeMachine([
    { name: "net0", address: "10.98.1.2/24" },
    { name: "net0", address: "fd00:98:1::2/64" },
  ]);
  machine = made;
  return { machine: made, holder: await hold(made) };
}

async function hold(on: Machine): Promise<ChildProcess> {
  const program = join(import.meta.dirname, "holder.js");
  const sunos = pathToFileURL(join(import.meta.dirname, "sunos.js")).href;
  const child = spawn(process.execPath, [`--import=${sunos}`, program, JSON.stringify(haAddresses)], {
    stdio: ["pipe", "pipe", "inherit"],
    env: on.env,
  });
  holders.push(child);
  said = [];
  const lines = said;
  createInterface({ input: child.stdout }).on("line", (line) => lines.push(line));
  await ask(child, "start", /"answer":null/);
  await ask(child, "acquire", /"answer":"confirmed"/);
  assert.deepEqual(on.present(addresses), addresses);
  return child;
}

async function ask(child: ChildProcess, command: string, answer: RegExp): Promise<void> {
  const before = said.length;
  child.stdin?.write(`${command}\n`);
  const find = () => said.slice(before).find((line) => line.includes(`"answered":"${command}"`));
  await until(`an answer to ${command}`, () => find() !== undefined);
  assert.match(find() ?? "", answer, said.join("\n"));
}

test("R4: a killed process leaves no address behind", async () => {
  const { machine, holder } = await holding();
  holder.kill("SIGKILL");
  await until("the guard has withdrawn", () => machine.present(addresses).length === 0);
});

test("R6: the guard of a killed process that is late takes nothing from the next one", async () => {
  const { machine, holder } = await holding();
  const group = guardOf(holder);
  process.kill(-group, "SIGSTOP");
  holder.kill("SIGKILL");
  await until("it has ended", () => holder.signalCode !== null);
  const next = await hold(machine);
  signalGroup(group, "SIGCONT");
  await until("nothing is left of it", () => !signalGroup(group, 0));
  await ask(next, "holds", /"answer":"held"/);
  assert.deepEqual(machine.present(addresses), addresses);
  assert.doesNotMatch(said.join("\n"), /addressRemoved|leaseLapsed/);
});

test("R4: an address that IPMP moved meanwhile is found where it is", async () => {
  const { machine, holder } = await holding();
  const other = makeMachineInterface(machine);
  const at = (name: string) => join(machine.folder, "inet", name);
  // In one step and with the holder stopped, who would put back what he sees missing.
  holder.kill("SIGSTOP");
  renameSync(at(machine.interfaceOf(addresses[0] ?? "") ?? ""), at(`${other}:1`));
  holder.kill("SIGKILL");
  await until("the guard has withdrawn", () => machine.present(addresses).length === 0);
});

test("G2: a stopped process loses the addresses, knows it when it goes on, and can take them again", async () => {
  const { machine, holder } = await holding();
  holder.kill("SIGSTOP");
  await until("the guard has withdrawn", () => machine.present(addresses).length === 0);
  const before = said.length;
  holder.kill("SIGCONT");
  await until("it knows", () => said.slice(before).some((line) => line.includes('"leaseLapsed"')));
  assert.ok(
    !said.join("\n").includes('"addressRemoved"'),
    "its own guard is no stranger, and nothing was put back",
  );
  await ask(holder, "holds", /"answer":"absent"/);
  await ask(holder, "acquire", /"answer":"confirmed"/);
  assert.deepEqual(machine.present(addresses), addresses);
});

test("G2: a process that lives keeps its addresses past the patience of the guard", async () => {
  const { machine } = await holding();
  const looks = () => machine.log().filter((line) => line === "-a4").length;
  const before = looks();
  // Once a second: five looks are past the guard's two seconds, without a clock in this test.
  await until("five looks later", () => looks() > before + 5);
  assert.deepEqual(machine.present(addresses), addresses, said.join("\n"));
  assert.doesNotMatch(said.join("\n"), /addressRemoved|leaseLapsed/, "not removed and put back either");
});

/** The process group of the only shell that knows how to withdraw. */
function guardOf(holder: ChildProcess): number {
  const listing = execFileSync("ps", ["-e", "-o", "ppid=,pgid=,args="], { encoding: "utf8" });
  const shells = listing.split("\n").map((line) => /^\s*(\d+)\s+(\d+)\s.*withdraw/.exec(line));
  const [group, ...more] = shells.flatMap((found) =>
    Number(found?.[1]) === holder.pid ? [Number(found?.[2])] : [],
  );
  assert.ok(group !== undefined && group > 1 && more.length === 0, listing);
  return group;
}

/** A group's interface that came while the holder ran. */
function makeMachineInterface(on: Machine): string {
  on.addInterface({
    name: "ipmp0",
    address: "10.98.1.3/24",
    flags: "UP,BROADCAST,RUNNING,MULTICAST,IPv4,IPMP",
    group: "front",
  });
  return "ipmp0";
}
