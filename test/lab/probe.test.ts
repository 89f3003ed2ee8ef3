/**
 * Shows that the probing client sees what there is to see: an address that nobody has, one that moves, one that two
 * machines have, and one direction of one path that is cut. All figures of the benchmarks stand on it.
 */

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { execPath } from "node:process";
import { afterEach, beforeEach, test } from "node:test";
import { fileURLToPath } from "node:url";
import { until, within } from "@understudy/core/conformance/until";
import { bothAnsweringMs, lastAnswerer, outage } from "./outage.js";
import { monotonicMs } from "./packet-socket.js";
import { echoHttpPort, echoPort, type Probe, type ProbeCounts, startProbe } from "./probe.js";
import { makeSegment, type Segment } from "./segment.js";

const address = "10.77.0.4";
let segment: Segment;
let probe: Probe;

beforeEach(async () => {
  segment = makeSegment({ primary: "10.77.0.2", secondary: "10.77.0.3", client: "10.77.0.9" });
  for (const machine of ["primary", "secondary"]) {
    segment.run(machine, "sysctl", ["-qw", "net.ipv4.ip_nonlocal_bind=1"]);
    const script = fileURLToPath(new URL("./echo-service.js", import.meta.url));
    const args = [script, address, machine, String(echoPort), String(echoHttpPort)];
    const child = segment.start(machine, execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
    assert.ok(child.stdout);
    await within(`the service of the ${machine}`, once(child.stdout, "data"));
  }
});
afterEach(() => segment.close());

const hold = (machine: string) => segment.run(machine, "ip", ["addr", "add", `${address}/24`, "dev", "eth0"]);
const leave = (machine: string) =>
  segment.run(machine, "ip", ["addr", "del", `${address}/24`, "dev", "eth0"]);
const tell = (machine: string) =>
  segment.run(machine, "arping", ["-q", "-U", "-c", "1", "-w", "1", "-I", "eth0", address]);

/** Waits until the client has counted so many more; time alone says nothing about a machine that is busy. */
async function further(more: Partial<ProbeCounts>): Promise<void> {
  const before = await probe.counts();
  await until(`the client to count ${JSON.stringify(more)} more`, async () => {
    const now = await probe.counts();
    return Object.entries(more).every(
      ([what, by]) => now[what as keyof ProbeCounts] - before[what as keyof ProbeCounts] >= by,
    );
  });
}

test("an address that moves shows its gap and who has it now, at every level", async () => {
  hold("primary");
  probe = await startProbe(segment, address);
  tell("primary");
  await further({ arp: 1, icmp: 1, udp: 1, http: 1 });
  const fromMs = monotonicMs();
  leave("primary");
  // Read later than it came, an answer of the owner would shorten the gap: after these none is left.
  await further({ reads: 2, httpFailed: 2 });
  const emptyFromMs = monotonicMs();
  await further({ reads: 100 });
  const emptyMs = monotonicMs() - emptyFromMs;
  hold("secondary");
  tell("secondary");
  tell("secondary");
  await further({ arp: 1, icmp: 1, udp: 1, http: 1 });
  const result = await probe.stop();
  for (const level of ["arp", "icmp", "udp", "http"] as const) {
    const seen = outage(result, level, fromMs);
    assert.ok(seen !== undefined, `${level} is answered again`);
    assert.ok(
      seen.gapMs >= emptyMs - 2,
      `${level} saw ${seen.gapMs} ms of the ${emptyMs} ms without an owner`,
    );
  }
  assert.equal(lastAnswerer(result, "udp", fromMs), "primary");
  assert.equal(lastAnswerer(result, "udp"), "secondary");
  assert.equal(lastAnswerer(result, "http"), "secondary");
  assert.equal(bothAnsweringMs(result), 0);
});

test("two owners at once are seen as both answering, an address without owner as never answered", async () => {
  probe = await startProbe(segment, address);
  await further({ reads: 100 });
  const silent = await probe.stop();
  assert.equal(outage(silent, "arp", 0), undefined);
  hold("primary");
  hold("secondary");
  probe = await startProbe(segment, address);
  await further({ arp: 600 });
  const result = await probe.stop();
  assert.ok(bothAnsweringMs(result) > 100, `both answered for ${bothAnsweringMs(result)} ms`);
});

test("a blocked direction is blocked in that direction and for those two only", async () => {
  const hears = (from: string, to: string) => {
    const args = [
      "netns",
      "exec",
      segment.machine(from).namespace,
      "arping",
      "-c",
      "1",
      "-w",
      "1",
      "-I",
      "eth0",
    ];
    const asked = spawnSync("ip", [...args, segment.machine(to).address], { encoding: "utf8" });
    assert.match(asked.stdout, /^Received \d+ response/m, `arping did not run: ${asked.stderr}`);
    return !/^Received 0 response/m.test(asked.stdout);
  };
  await until("the secondary hears the primary", () => hears("primary", "secondary"));
  segment.block("primary", "secondary");
  assert.equal(hears("primary", "secondary"), false);
  await until("the client hears the primary", () => hears("primary", "client"));
  await until("the client hears the secondary", () => hears("secondary", "client"));
  segment.unblock("primary", "secondary");
  await until("the secondary hears the primary", () => hears("primary", "secondary"));
});
