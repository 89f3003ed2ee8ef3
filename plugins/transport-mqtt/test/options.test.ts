/** What the schema takes and refuses, how long a broker is left alone, and which names a path has. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { otherNode, testNode, testPath } from "@understudy/core/conformance/capabilities";
import { createBackoff } from "../src/backoff.js";
import { namesOf } from "../src/names.js";
import { mqttOptions } from "../src/options.js";
import plugin from "../src/plugin.js";
import { troubleOf, troubleOfCode } from "../src/reasons.js";
import { addressOf } from "../src/socket.js";

const url = "mqtts://broker.example.com";

for (const [what, options, message] of [
  ["no url", {}, /url/],
  ["another protocol", { url: "https://broker" }, /mqtt:\/\/host or mqtts/],
  ["a bare host", { url: "broker:1883" }, /mqtt:\/\/host or mqtts/],
  ["a path", { url: "mqtt://broker/x" }, /must end after host and port/],
  ["a password in the url", { url: "mqtt://me:secret@broker" }, /must not carry user and password/],
  ["no broker", { url: [] }, /at least one/],
  ["five brokers", { url: [1, 2, 3, 4, 5].map((n) => `mqtt://b${n}`) }, /at most 4/],
  ["a broker twice", { url: [url, url] }, /twice/],
  ["two passwords", { url, user: "u", password: "p", passwordFile: "/p" }, /given twice/],
  ["a password without a user", { url, password: "p" }, /there is a password/],
  ["a certificate without a key", { url, cert: "/c" }, /there is a cert/],
  ["a key without a certificate", { url, key: "/k" }, /there is a key/],
  ["TLS files without TLS", { url: "mqtt://broker", ca: "/c" }, /is for mqtts/],
  ["a relative file", { url, ca: "ca.pem" }, /absolute/],
  ["a wildcard topic", { url, topic: "a/#" }, /topic/],
  ["a topic of the broker's own", { url, topic: "$SYS/x" }, /topic/],
  ["an interval that is none", { url, interval: "often" }, /must be a time such as/],
  ["an interval too short", { url, interval: 1 }, /from 5 ms to 1 min/],
  ["a silence too long", { url, silence: "2m" }, /from 1 s to 1 min/],
  ["a misspelt option", { url, pasword: "x" }, /pasword/],
] as const) {
  test(`${what} is refused by the schema`, () => {
    assert.throws(() => mqttOptions.parse(options), message);
  });
}

test("the interval is what the core is told", () => {
  assert.equal(plugin.beatIntervalMs(mqttOptions.parse({ url })), 200);
  assert.equal(plugin.beatIntervalMs(mqttOptions.parse({ url, interval: "20ms" })), 20);
  assert.equal(plugin.beatIntervalMs(mqttOptions.parse({ url, interval: "2s" })), 2000);
  assert.equal(plugin.runsIn, "node");
});

test("urls become host, port and TLS", () => {
  assert.deepEqual(addressOf("mqtt://broker"), { host: "broker", port: 1883, secure: false });
  assert.deepEqual(addressOf("mqtts://[fd00::1]"), { host: "fd00::1", port: 8883, secure: true });
  assert.deepEqual(addressOf("mqtts://10.0.0.9:443/"), { host: "10.0.0.9", port: 443, secure: true });
});

test("the two nodes name each other's topics, and never one client id", () => {
  const node = testNode({ cluster: "tlha" });
  const ours = namesOf("site/understudy", node, testPath({ name: "mqtt" }));
  const theirs = namesOf("site/understudy", otherNode(node), testPath({ name: "mqtt" }));
  assert.equal(ours.ourBeats, "site/understudy/tlha/mqtt/primary/beat");
  assert.equal(ours.theirBeats, theirs.ourBeats);
  assert.equal(ours.ourPresence, theirs.theirPresence);
  assert.notEqual(ours.clientId, theirs.clientId);
  const other = namesOf("site/understudy", node, testPath({ name: "mqtt-2" }));
  assert.notEqual(ours.clientId, other.clientId, "two paths at one broker do not throw each other out");
});

test("pauses grow, differ between nodes, and begin anew after a connection that held", () => {
  const longest = createBackoff(() => 0.999_999);
  const shortest = createBackoff(() => 0);
  const rounded = (ms: number) => Math.round(ms);
  const growing = [0, 0, 0, 0, 0, 0, 0].map((upMs) => rounded(longest.next("passing", upMs)));
  assert.deepEqual(growing, [250, 500, 1000, 2000, 4000, 8000, 10_000]);
  assert.equal(rounded(shortest.next("passing", 0)), 125, "half of it at least");
  assert.equal(rounded(longest.next("passing", 9999)), 10_000, "up for too short a while");
  assert.equal(rounded(longest.next("passing", 10_000)), 250);
  assert.equal(rounded(longest.next("refused", 0)), 5000);
  const fights = [0, 60_000, 60_000, 60_000, 60_000, 60_000].map((upMs) =>
    rounded(longest.next("takenOver", upMs)),
  );
  assert.deepEqual(fights, [15_000, 30_000, 60_000, 120_000, 240_000, 300_000]);
  for (let turn = 0; turn < 2000; turn += 1) longest.next("passing", 0);
  assert.equal(rounded(longest.next("passing", 0)), 10_000, "and never overflow");
});

test("what went wrong is said in words, on one line", () => {
  assert.equal(troubleOfCode(142).kind, "takenOver");
  assert.match(troubleOfCode(200).text, /reason 200/);
  assert.match(troubleOf(Object.assign(new Error("x"), { code: "ENOTFOUND" })).text, /name is not known/);
  const odd = troubleOf(new Error(`many\nlines ${"x".repeat(300)}`));
  assert.ok(!odd.text.includes("\n") && odd.text.length <= 80);
});
