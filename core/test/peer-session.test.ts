/** Which beats count: none twice, none from an earlier start, and none that could have been recorded (rule R8). */

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Beat } from "../src/heartbeat/beat.js";
import { createPeerSession, type PeerSession } from "../src/heartbeat/peer-session.js";
import { testBeat } from "./beat-kit.js";

const own = "aaaaaaaaaaaaaaaa";
const p = "1111111111111111";
const q = "2222222222222222";

function session(): PeerSession {
  return createPeerSession("primary", own);
}

function beat(nonce: string, sequence: number, echo?: number): Beat {
  return testBeat({ nonce, sequence, echo: echo === undefined ? undefined : { nonce: own, sequence: echo } });
}

function verdict(of: PeerSession, path: string, heard: Beat, atMs: number): string {
  const result = of.accept(path, heard, 1, atMs);
  return result.fresh ? `fresh ${result.echoAgeMs}` : result.reason;
}

test("the echo says how old our beat is, and goes back to what was heard on its own path", () => {
  const one = session();
  assert.deepEqual(one.stamp("udp", 1000), { nonce: own, sequence: 1, echo: undefined });
  assert.equal(verdict(one, "udp", beat(p, 1), 1010), "fresh undefined");
  assert.equal(verdict(one, "udp", beat(p, 2, 1), 1030), "fresh 30");
  assert.deepEqual(one.stamp("udp", 1040).echo, { nonce: p, sequence: 2 });
  assert.deepEqual(one.stamp("serial", 1050), { nonce: own, sequence: 3, echo: undefined });
  assert.equal(verdict(one, "serial", beat(p, 3, 3), 1060), "fresh 10");
});

test("an echo of something that we never sent, or sent too long ago, is no echo", () => {
  const one = session();
  one.stamp("udp", 0);
  assert.equal(verdict(one, "udp", beat(p, 1, 2), 10), "fresh undefined");
  for (let count = 0; count < 5000; count += 1) one.stamp("udp", 20);
  assert.equal(verdict(one, "udp", beat(p, 2, 1), 30), "fresh undefined");
});

test("sequences go forward on each path, and a beat of one path does not count on another", () => {
  const one = session();
  assert.equal(verdict(one, "udp", beat(p, 5), 0), "fresh undefined");
  assert.equal(verdict(one, "udp", beat(p, 5), 1), "old");
  assert.equal(verdict(one, "udp", beat(p, 4), 1), "old");
  assert.equal(verdict(one, "serial", beat(p, 5), 1), "old");
  assert.equal(verdict(one, "serial", beat(p, 4), 1), "fresh undefined");
  assert.equal(verdict(one, "udp", beat(p, 6), 1), "fresh undefined");
});

test("beats of our own side never count", () => {
  assert.equal(verdict(session(), "udp", testBeat({ sender: "primary" }), 0), "own-side");
});

test("a new start of the other node takes over once it echoes us, and the old one never comes back", () => {
  const one = session();
  one.stamp("udp", 0);
  assert.equal(verdict(one, "udp", beat(p, 50, 1), 5), "fresh 5");
  one.stamp("udp", 20);
  assert.equal(verdict(one, "udp", beat(q, 1), 25), "unproven");
  assert.equal(verdict(one, "udp", beat(q, 2, 2), 45), "fresh 25");
  assert.equal(verdict(one, "udp", beat(p, 51, 2), 46), "superseded");
  assert.equal(verdict(one, "udp", beat(p, 51), 10_000), "superseded");
  assert.deepEqual(one.stamp("udp", 60).echo, { nonce: q, sequence: 2 });
});

test("recorded beats of an earlier start do not displace the living one, although they are authentic", () => {
  const one = session();
  one.stamp("udp", 0);
  assert.equal(verdict(one, "udp", beat(p, 1, 1), 5), "fresh 5");
  assert.equal(verdict(one, "udp", testBeat({ nonce: q, sequence: 900 }), 10), "unproven");
  one.stamp("udp", 20);
  assert.equal(verdict(one, "udp", beat(p, 2, 2), 25), "fresh 5");
  // One that echoed us once, replayed: its echo is not newer than what the living start has echoed.
  assert.equal(verdict(one, "udp", beat(q, 901, 1), 30), "unproven");
});

test("a replayed hello that came first does not lock the real node out", () => {
  const one = session();
  assert.equal(verdict(one, "udp", beat(q, 900), 0), "fresh undefined");
  one.stamp("udp", 5);
  assert.equal(verdict(one, "udp", beat(p, 1), 10), "unproven");
  assert.equal(verdict(one, "udp", beat(p, 2, 1), 20), "fresh 15");
  assert.equal(verdict(one, "udp", beat(q, 901), 30), "superseded");
});

test("a node that restarted and cannot hear us is heard once its earlier start has fallen silent", () => {
  const one = session();
  one.stamp("udp", 0);
  assert.equal(verdict(one, "udp", beat(p, 9, 1), 5), "fresh 5");
  assert.equal(verdict(one, "udp", beat(q, 1), 1000), "unproven");
  assert.equal(verdict(one, "udp", beat(q, 2), 1005), "fresh undefined");
  assert.equal(verdict(one, "udp", beat(p, 10), 5000), "superseded");
});

test("R29: the keys that the other node has signed with are remembered for this start of it", () => {
  const one = session();
  one.stamp("udp", 0);
  one.accept("udp", beat(p, 1, 1), 1, 0);
  one.accept("udp", beat(p, 2, 1), 2, 0);
  one.accept("udp", beat(p, 2, 1), 3, 0);
  assert.deepEqual([...one.peerKeyIds], [1, 2]);
  one.stamp("udp", 10);
  one.accept("udp", beat(q, 1, 2), 2, 20);
  assert.deepEqual([...one.peerKeyIds], [2]);
});
