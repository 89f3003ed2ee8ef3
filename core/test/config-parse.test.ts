/**
 * What a config file may say, what it means, and that a wrong one is refused with every mistake, its place and the word
 * that was meant.
 */

import assert from "node:assert/strict";
import { test } from "node:test";
import { parseConfig } from "../src/config/parse.js";
import { UnderstudyError } from "../src/errors/error.js";

const minimal = `cluster: tlha
nodes:
  tlha-primary: 10.0.0.2
  tlha-secondary: 10.0.0.3
haAddress: 10.0.0.4/24
`;

/** "line:column key: what" of every mistake. */
function mistakesOf(text: string): readonly string[] {
  try {
    parseConfig(text, "f.yaml");
  } catch (error) {
    assert.ok(error instanceof UnderstudyError && error.code === "CONFIG_WRONG", String(error));
    const mistakes = error.details.mistakes as readonly { place: string; key: string; what: string }[];
    return mistakes.map(({ place, key, what }) => `${place.replace("f.yaml:", "")} ${key}: ${what}`);
  }
  assert.fail("the text was accepted");
}

function refused(text: string, ...expected: readonly RegExp[]): void {
  const found = mistakesOf(text);
  assert.equal(found.length, expected.length, found.join("\n"));
  for (const [index, pattern] of expected.entries()) assert.match(found[index] ?? "", pattern);
}

test("five lines are a working pair", () => {
  const config = parseConfig(minimal, "f.yaml");
  const { digest, ...rest } = config;
  assert.match(digest, /^[0-9a-f]{8}$/);
  assert.deepEqual(rest, {
    cluster: "tlha",
    nodes: [
      { name: "tlha-primary", side: "primary", addresses: ["10.0.0.2"] },
      { name: "tlha-secondary", side: "secondary", addresses: ["10.0.0.3"] },
    ],
    haAddresses: [{ address: "10.0.0.4", family: 4, prefixLength: 24, interfaceName: undefined }],
    heartbeat: {
      profile: "standard",
      intervalMs: 20,
      deadFloorMs: 100,
      deadCeilingMs: 400,
      port: 6940,
      paths: [{ plugin: "udp", options: {}, at: "heartbeat.paths[0]", name: "udp", class: "client" }],
    },
    leaseMs: 250,
    hangLimitMs: 1000,
    aloneAfterMs: 30_000,
    failback: { mode: "auto", holdMs: 10_000, maxHoldMs: 3_600_000, manualAfterLosses: 3, freezeMs: 50 },
    reclaimHoldMs: 10_000,
    foreignHoldMs: 30_000,
    address: [
      { plugin: "iproute2", options: {}, at: "address[0]" },
      { plugin: "garp", options: {}, at: "address[1]" },
    ],
    sessions: { plugin: "sqlite", options: {}, at: "sessions" },
    replication: { port: 6941, staleAfterMs: 500, soloAfterMs: 1000 },
    services: [],
    arbiters: [],
    onArbiterLost: "stepDown",
    fences: [],
    fenceDelayMs: 30_000,
    observers: [],
    watchdog: undefined,
    keyFile: "/etc/understudy/key",
    folders: { state: "/var/lib/understudy", run: "/run/understudy" },
    log: { level: "info" },
  });
});

test("everything can be said, in the forms a person would choose", () => {
  const config = parseConfig(
    `
cluster: tlha
nodes: { b: [10.0.0.2, "FD00::0002"], a: [10.0.0.3, fd00::3] }
haAddress: [ 10.0.0.4/24, { address: "fd00::4/64", interface: eth1 } ]
heartbeat:
  profile: fast
  deadFloor: 40ms
  paths:
    - { plugin: udp, class: client }
    - { plugin: udp, class: private, local: 192.168.7.1 }
    - { plugin: serial, class: private, device: /dev/ttyS0, baud: 115200, name: cable }
lease: 1s
aloneAfter: never
failback: { mode: manual, hold: 5s }
address: [ { plugin: iproute2, table: x }, ./mine.js ]
sessions: none
services:
  - { plugin: vsm, agents: [ agent1, agent2 ] }
log: { level: debug }
`,
    "f.yaml",
  );
  assert.deepEqual(config.nodes[0], { name: "b", side: "primary", addresses: ["10.0.0.2", "fd00::2"] });
  assert.deepEqual(config.haAddresses[1], {
    address: "fd00::4",
    family: 6,
    prefixLength: 64,
    interfaceName: "eth1",
  });
  assert.deepEqual(
    [config.heartbeat.intervalMs, config.heartbeat.deadFloorMs, config.leaseMs, config.aloneAfterMs],
    [5, 40, 1000, null],
  );
  assert.deepEqual(
    config.heartbeat.paths.map(({ name, class: ofClass, options }) => [name, ofClass, options]),
    [
      ["udp", "client", {}],
      ["udp-2", "private", { local: "192.168.7.1" }],
      ["cable", "private", { device: "/dev/ttyS0", baud: 115200 }],
    ],
  );
  assert.equal(config.failback.mode, "manual");
  assert.equal(config.failback.holdMs, 5000);
  assert.equal(config.failback.freezeMs, 50);
  assert.equal(config.sessions, undefined);
  assert.deepEqual(config.services[0], {
    plugin: "vsm",
    options: { agents: ["agent1", "agent2"] },
    at: "services[0]",
  });
});

test("the digest ignores the order of options, log level and folders, and nothing else (R28)", () => {
  const digest = (more: string) => parseConfig(minimal + more, "f.yaml").digest;
  assert.equal(digest(""), digest("log: { level: debug }\nkeyFile: /k\nfolders: { state: /s }\n"));
  assert.equal(
    digest("services: [ { plugin: x, a: 1, b: 2 } ]"),
    digest("services: [ { b: 2, plugin: x, a: 1 } ]"),
  );
  assert.notEqual(digest(""), digest("lease: 300\n"));
  assert.notEqual(digest(""), digest("services: [ { plugin: x } ]\n"));
  assert.notEqual(
    parseConfig(minimal, "f.yaml").digest,
    parseConfig(minimal.replace("10.0.0.2\n", "10.0.0.9\n"), "f.yaml").digest,
  );
});

test("every mistake is told at once, in the order of the lines", () => {
  refused(
    `cluster: tlha
nodes:
  tlha-primary: 10.0.0.2
  tlha-secondary: 10.0.0.300
haAdress: 10.0.0.4/24
heartbeat:
  profile: fst
  paths: []
lease: 50ms
failback: automatic
sessions: [sqlite]
`,
    /^1:1 haAddress: is missing: it must be a text, a map of keys or a list/,
    /^4:19 nodes\.tlha-secondary: must be an IPv4 address of four numbers.*found "10\.0\.0\.300"/,
    /^5:1 haAdress: no such key; did you mean haAddress\? \(allowed here: cluster, nodes, haAddress/,
    /^7:12 heartbeat\.profile: must be standard or fast; found "fst"; did you mean fast\?/,
    /^8:10 heartbeat\.paths: must name at least one path; found an empty list/,
    /^9:8 lease: must be from 100 ms to 10 min; found "50ms"/,
    /^10:11 failback: must be auto or manual; found "automatic"/,
    /^11:11 sessions: must be a text or a map of keys; found a list of 1/,
  );
});

test("addresses that cannot be right are refused", () => {
  const withHa = (ha: string) => minimal.replace("10.0.0.4/24", ha);
  refused(withHa("10.0.0.4"), /5:12 haAddress: must have its prefix length, such as 10\.0\.0\.4\/24/);
  refused(withHa("10.0.0.0/24"), /the address of the network \/24 itself/);
  refused(withHa("10.0.0.255/24"), /broadcast/);
  refused(withHa("224.0.0.1/24"), /multicast/);
  refused(withHa("127.0.0.1/8"), /loopback/);
  refused(withHa("10.0.0.2/24"), /10\.0\.0\.2 is used twice: by node tlha-primary and by the HA address/);
  refused(withHa("10.0.0.4/40"), /prefix length from 1 to 32/);
  refused(withHa("[10.0.0.4/24, 10.0.0.4/16]"), /5:26 haAddress\[1\]: 10\.0\.0\.4 is used twice/);
  refused(withHa("fe80::1/64"), /link-local/);
  refused(withHa('"::1/64"'), /loopback/);
  refused(withHa("{ address: fd00::/64, interface: eth0 }"), /5:23 haAddress\.address:.*network/);
  refused(withHa("{ addres: fd00::4/64 }"), /haAddress\.address: is missing/, /did you mean address\?/);
  refused(
    minimal.replace("10.0.0.3", "10.0.0.2"),
    /used twice: by node tlha-primary and by node tlha-secondary/,
  );
  refused(
    minimal.replace("10.0.0.3", "fd00::3"),
    /3:3 nodes: the first address of both nodes must be of the same/,
  );
  refused(minimal.replace("10.0.0.3", "10.0.0.3/24"), /without a prefix length/);
});

test("what does not agree with itself is refused", () => {
  refused(minimal.replace(/ {2}tlha-secondary.*\n/, ""), /3:3 nodes: must name exactly two nodes/);
  refused(`${minimal}heartbeat: { interval: 50, deadFloor: 100 }`, /less than three beats/);
  refused(`${minimal}heartbeat: { deadCeiling: 90 }`, /below the floor of 100 ms/);
  refused(`${minimal}replication: { staleAfter: 2s }`, /must be longer than staleAfter/);
  refused(`${minimal}replication: { port: 6943 }`, /must stay closed/);
  refused(`${minimal}heartbeat: { port: 6941 }`, /is the port of heartbeat\.port too/);
  refused(
    `${minimal}heartbeat: { paths: [ udp, { plugin: udp, class: private } ] }`,
    /6:23 heartbeat\.paths\[0\]: needs its class/,
  );
  refused(
    `${minimal}heartbeat: { paths: [ {plugin: a, class: private, name: x}, {plugin: b, class: clent, name: x} ] }`,
    /class: must be client, private or out-of-band; found "clent"; did you mean client\?/,
  );
});

test("what is no YAML is refused with its place", () => {
  refused("cluster: [1\n", /^2:1 : /);
  refused("", /is empty/);
  refused("- a", /is not a map of keys/);
  refused(`${minimal}lease: 300\nlease: 400\n`, /7:1 : Map keys must be unique/);
  refused(`${minimal}? [a]\n: b\n`, /a key must be a word/);
  refused(`${minimal}log: !!js/function x\n`, /Unresolved tag/, /log: must be a map of keys/);
  refused("a: ".padEnd(1024 * 1024 + 1, "x"), /longer than 1 MiB/);
  assert.throws(() => parseConfig("[".repeat(100_000), "f.yaml"), { code: "CONFIG_WRONG" });
  assert.throws(() => parseConfig("\u0000", "f.yaml"), { code: "CONFIG_WRONG" });
  assert.throws(() => parseConfig("{ __proto__: { cluster: x }, cluster: y }", "f.yaml"), {
    code: "CONFIG_WRONG",
  });
});

test("a secret in the wrong place is not shown", () => {
  const [first] = mistakesOf(`${minimal}keyFile: hunter2\n`);
  assert.match(first ?? "", /keyFile: must be an absolute path/);
  assert.doesNotMatch(mistakesOf(`${minimal}log: { password: hunter2 }\n`).join(), /hunter2/);
});

test("R4: a watchdog is off unless it is written, may differ between the nodes, and is no shorter than a restart", () => {
  const written = (text: string) => parseConfig(`${minimal}watchdog: ${text}\n`, "f.yaml");
  assert.deepEqual(written("{}").watchdog, { device: "/dev/watchdog", timeoutMs: 10_000 });
  const { watchdog, digest } = written("{ device: /dev/watchdog1, timeout: 30s }");
  assert.deepEqual(watchdog, { device: "/dev/watchdog1", timeoutMs: 30_000 });
  assert.equal(digest, parseConfig(minimal, "f.yaml").digest);
  refused(
    `${minimal}watchdog: { device: watchdog, timeout: 500ms }\n`,
    /must be an absolute path/,
    /timeout/,
  );
});
