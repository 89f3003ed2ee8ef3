/** Pings in networks of their own: the suite of all arbiters, groups, both families, TCP, both kinds of socket, and none. */

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { test } from "node:test";
import { arbiterConformance } from "@understudy/core/conformance/arbiter";
import { makePlugin, recordingLog } from "@understudy/core/conformance/capabilities";
import { enterPrivateNetwork } from "@understudy/core/conformance/private-network";
import { within } from "@understudy/core/conformance/until";
import type { Arbiter } from "@understudy/core/public";
import ping from "../src/plugin.js";
import { addressBytes, parseTarget } from "../src/target.js";

enterPrivateNetwork(import.meta.url);

const ip = (...args: readonly string[]) => execFileSync("ip", args);
/** Addresses of this machine answer by the loopback device; whatever else there is goes into a device that eats it. */
ip("link", "add", "hole", "type", "veth", "peer", "name", "drain");
ip("link", "set", "drain", "up");
ip("link", "set", "hole", "up");
ip("addr", "add", "192.0.2.1/24", "dev", "hole", "noprefixroute");
ip("route", "add", "192.0.2.0/24", "dev", "hole");
ip("neigh", "add", "192.0.2.9", "lladdr", "02:00:00:00:00:09", "dev", "hole");
const silent = "192.0.2.9";

function make(options: Readonly<Record<string, unknown>>): Arbiter {
  // Longer than the default: this machine is busy with other tests.
  return makePlugin(ping, { timeoutMs: 500, ...options }, { log: recordingLog() });
}

async function ruling(options: Readonly<Record<string, unknown>>) {
  const arbiter = make(options);
  await arbiter.start();
  try {
    return await within("a ruling", arbiter.ask(1, new AbortController().signal));
  } finally {
    await arbiter.stop();
  }
}

/** A new network lets nobody have the unprivileged kind, so the raw one comes first; then the range is opened for us. */
const groups = "/proc/sys/net/ipv4/ping_group_range";

for (const [kind, range] of [
  ["a raw socket", undefined],
  ["an unprivileged socket", "0 0"],
] as const)
  arbiterConformance({
    name: `ping by ${kind}`,
    exclusive: false,
    whenCutOff: "denied",
    async make() {
      if (range !== undefined) writeFileSync(groups, range);
      return {
        of: () => make({ targets: ["127.0.0.1"], groups: [{ all: ["::1"] }] }),
        cutOff: () => void ip("link", "set", "lo", "down"),
        heal: () => void ip("link", "set", "lo", "up"),
        dispose: () => void ip("link", "set", "lo", "up"),
      };
    },
  });

test("R30: any needs one of its targets, all needs each, and every group counts", async () => {
  const verdict = async (options: Readonly<Record<string, unknown>>) =>
    (await ruling({ timeoutMs: 60, ...options })).verdict;
  assert.equal(await verdict({ targets: [silent, "127.0.0.1"] }), "granted");
  assert.equal(await verdict({ groups: [{ all: [silent, "127.0.0.1"] }] }), "denied");
  assert.equal(await verdict({ groups: [{ all: ["127.0.0.2", "::1"] }, { any: ["127.0.0.1"] }] }), "granted");
  assert.equal(await verdict({ targets: ["127.0.0.1"], groups: [{ any: [silent] }] }), "denied");
});

test("a denial names who was not reached, and how", async () => {
  const { why } = await ruling({ timeoutMs: 40, targets: [silent, "203.0.113.1"] });
  assert.match(why, /192\.0\.2\.9 has not answered within 40 ms/);
  assert.match(why, /203\.0\.113\.1 cannot be asked \(ENETUNREACH\)/);
});

test("an answer of one of any is not held up by those that are silent", async () => {
  const silence = ruling({ targets: [silent] }).then(() => "silence");
  const answer = ruling({ targets: [silent, "127.0.0.1"] }).then(() => "answer");
  assert.equal(await Promise.race([silence, answer]), "answer");
  await silence;
});

test("a TCP target answers by an open port and by a refusal, and not by silence", async () => {
  const server = createServer((socket) => socket.destroy()).listen(0, "::1");
  await once(server, "listening");
  const address = server.address();
  const port = typeof address === "object" ? (address?.port ?? 0) : 0;
  assert.equal((await ruling({ targets: [`[::1]:${port}`] })).verdict, "granted");
  server.close();
  await once(server, "close");
  assert.equal((await ruling({ targets: [`[::1]:${port}`] })).verdict, "granted", "refused, so it is there");
  assert.equal((await ruling({ timeoutMs: 50, targets: [`${silent}:80`] })).verdict, "denied");
});

test("without any socket the program ping is asked", async () => {
  const { askByProgram } = await import("../src/round.js");
  const target = parseTarget("127.0.0.1");
  const none = parseTarget("203.0.113.1");
  assert.ok(typeof target !== "string" && typeof none !== "string");
  assert.equal(await askByProgram(target, 2000, new AbortController().signal), undefined);
  assert.match((await askByProgram(none, 50, new AbortController().signal)) ?? "", /ping/);
});

test("targets are addresses with or without a port, and nothing else", () => {
  for (const wrong of ["gateway", "10.0.0.300", "10.0.0.1:0", "10.0.0.1:70000", "fe80::1", "", "[::1"])
    assert.equal(typeof parseTarget(wrong), "string", wrong);
  for (const right of [
    "10.0.0.1",
    "10.0.0.1:53",
    "::1",
    "[::1]",
    "[2001:db8::1]:443",
    "fe80::1%eth0",
    "[fe80::1%eth0]:1",
  ])
    assert.notEqual(typeof parseTarget(right), "string", right);
  const bytesOf = (text: string) => {
    const target = parseTarget(text);
    assert.ok(typeof target !== "string");
    return Buffer.from(addressBytes(target)).toString("hex");
  };
  assert.equal(bytesOf("10.0.0.1"), "0a000001");
  assert.equal(bytesOf("2001:db8::1"), "20010db8000000000000000000000001");
  assert.equal(bytesOf("::"), "0".repeat(32));
  assert.equal(bytesOf("1:2:3:4:5:6:7:8"), "00010002000300040005000600070008");
  assert.equal(bytesOf("::ffff:10.0.0.1"), "00000000000000000000ffff0a000001");
});

test("a file without targets is refused", () => {
  for (const wrong of [{}, { targets: [] }, { groups: [{ some: ["10.0.0.1"] }] }, { targets: ["gateway"] }])
    assert.throws(() => make(wrong));
});
