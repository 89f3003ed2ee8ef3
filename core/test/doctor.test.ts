/** What the doctor makes of what it finds: rights, networks, stalls, the peer's ports, and that it changes nothing. */

import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:net";
import { test } from "node:test";
import { createServer as createTlsServer } from "node:tls";
import type { LocalConfig } from "../src/config/config.js";
import { parseConfig } from "../src/config/parse.js";
import { checkNetwork } from "../src/doctor/network.js";
import { checkNftables } from "../src/doctor/nftables.js";
import { checkPeer } from "../src/doctor/peer.js";
import { effectiveRights } from "../src/doctor/privileges.js";
import { checkRunning } from "../src/doctor/running.js";
import { judgeStalls, type Measured, measureStalls } from "../src/doctor/stalls.js";
import { cliError } from "../src/errors/cli.js";
import type { NodeStatus } from "../src/ipc/control.js";
import { deriveKey } from "../src/keys/derive.js";
import { newKeyRing } from "../src/keys/key-file.js";
import { pskTls, secretFor } from "../src/node/link-psk.js";
import { ownAddress, ownPort } from "./loopback-kit.js";

const address = ownAddress.primary;

function local(ha: string, port = 6940): LocalConfig {
  const text = `cluster: c
nodes: { a: 10.9.0.2, b: 10.9.0.3 }
haAddress: ${ha}
heartbeat: { port: ${port} }
replication: { port: 1 }
`;
  const config = parseConfig(text, "f");
  // The config refuses loopback, the test has nothing else.
  const self = { ...config.nodes[1], addresses: [address] };
  return { file: "/f", config, self, peer: { ...config.nodes[0], addresses: [address] } };
}

test("the network is judged by the addresses of this machine", () => {
  const own = [
    { interfaceName: "eth7", address, prefixLength: 8 },
    { interfaceName: "eth8", address: "10.9.0.3", prefixLength: 24 },
  ];
  const levels = (ha: string, addresses = own) =>
    checkNetwork(local(ha), addresses).map(({ level, what }) => [level, what]);
  assert.deepEqual(levels("10.9.0.4/24").slice(0, 2), [
    ["ok", `${address} is on eth7`],
    ["ok", "the HA address 10.9.0.4 goes on eth8"],
  ]);
  assert.equal(levels("10.77.0.4/24")[1]?.[0], "fail");
  assert.match(
    levels("{ address: 10.9.0.4/24, interface: nosuch0 }")[1]?.[1] ?? "",
    /there is no interface nosuch0/,
  );
  assert.deepEqual(levels("10.9.0.4/24", [])[0], [
    "fail",
    `${address}, an address of this node, is on none of its interfaces`,
  ]);
});

const stalls = (worst: number, inForce = true): Measured => ({
  ticks: 100,
  p50: 5,
  p99: 6,
  p999: 7,
  worst,
  realTime: { inForce, detail: "why" },
});

test("stalls decide which profile a host can bear", () => {
  const verdict = (worst: number, profile: "standard" | "fast") => {
    const [, one] = judgeStalls(stalls(worst), profile, 10);
    return `${one?.level}: ${one?.what}`;
  };
  assert.match(verdict(20, "standard"), /^ok: .*bears the profile standard; it could bear fast/);
  assert.match(verdict(20, "fast"), /^ok: .*bears the profile fast$/);
  assert.match(verdict(40, "fast"), /^warn: .*bears standard, not fast/);
  assert.match(verdict(200, "standard"), /^warn: .*grow to about 250 ms/);
  assert.equal(judgeStalls(stalls(20, false), "fast", 10)[0]?.level, "warn");
});

test("stalls are measured by a process of its own", async () => {
  const { ticks, p50, worst } = await measureStalls(1);
  assert.ok(ticks > 5 && p50 >= 4 && worst >= p50);
});

test("rights are read from the kernel's own words", () => {
  assert.equal(effectiveRights("Name:\tx\nCapEff:\t0000000000003000\n"), 0x3000n);
  assert.throws(() => effectiveRights("nothing"));
});

test("the lease's rules are tried without touching this host", () => {
  const [found] = checkNftables();
  assert.equal(found?.about, "nftables");
  assert.match(found?.what ?? "", /nft/);
});

test("a system without nftables is told what that means, and nothing is tried there", () => {
  const [found] = checkNftables("sunos");
  assert.equal(found?.level, "note");
  assert.match(found?.what ?? "", /sunos has no nftables .*guards/);
});

test("the peer's ports are judged: closed, open, the same key, another key", async () => {
  const ring = newKeyRing();
  const secret = deriveKey(ring.keys[0]?.secret ?? new Uint8Array(), "tls");
  const port = ownPort();
  const link = createTlsServer({
    ...pskTls,
    pskCallback: (_, identity) => secretFor(identity, "c", [{ id: 1, secret }]) ?? null,
  }).listen(port, address);
  link.on("tlsClientError", () => {});
  await once(link, "listening");
  const what = async (keys: typeof ring) =>
    (await checkPeer(local("10.9.0.4/24", port), keys)).map(({ level, what: said }) => `${level} ${said}`);
  const [closed, same] = await what(ring);
  assert.match(closed ?? "", new RegExp(`^ok .*port ${port + 3}/tcp is closed`));
  assert.match(same ?? "", /^ok .*has the same key/);
  const [, other] = await what(newKeyRing());
  assert.match(other ?? "", /^warn .*does not accept the key/);

  const intruder = createServer().listen(port + 3, address);
  await once(intruder, "listening");
  assert.match((await what(ring))[0] ?? "", /^fail .*is open, and must stay closed/);
  intruder.close();
  link.close();
});

test("what the running node says is compared with the file", async () => {
  const here = local("10.9.0.4/24");
  const say = async (status: object) => {
    const answer = { configDigest: here.config.digest, nodeLink: "up", ...status } as NodeStatus;
    return (await checkRunning(here, (async () => answer) as never)).map(({ level }) => level);
  };
  const pulse = (configEqual: boolean) => ({ pulse: { peer: { alive: true, configEqual } } });
  assert.deepEqual(await say(pulse(true)), ["ok", "ok", "note"]);
  assert.deepEqual(await say({ configDigest: "other", ...pulse(false) }), ["warn", "warn", "note"]);
  const silent = await checkRunning(here, (() =>
    Promise.reject(cliError("CLI_NOT_RUNNING", "nobody"))) as never);
  assert.deepEqual(
    silent.map(({ level }) => level),
    ["note"],
  );
});
