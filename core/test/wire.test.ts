/** The bytes of a beat: their places are fixed, what is not signed by us is never believed, and nothing crashes. */

import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { test } from "node:test";
import { type Beat, roles } from "../src/heartbeat/beat.js";
import { claimToken, claimTokens } from "../src/heartbeat/claim-token.js";
import { beatBytes, beatKeys, decodeBeat, encodeBeat } from "../src/heartbeat/wire.js";
import { deriveKey } from "../src/keys/derive.js";
import { seeded, testBeat, testKey, testRing } from "./beat-kit.js";

const keys = beatKeys("tlha", testRing(1, 2));

function decoded(bytes: Uint8Array): Beat {
  const result = decodeBeat(bytes, keys);
  assert.equal(result.kind, "beat", JSON.stringify(result));
  return result.kind === "beat" ? result.beat : assert.fail();
}

/** Signs again after a change: what only somebody with the key can make. */
function resign(bytes: Uint8Array): Uint8Array {
  const mac = createHmac("sha256", deriveKey(testKey(1).secret, "beat"))
    .update(bytes.subarray(0, 80))
    .digest();
  const copy = Uint8Array.from(bytes);
  copy.set(mac.subarray(0, 16), 80);
  return copy;
}

test("every byte of a beat is where the kernel and other versions look for it", () => {
  const bytes = Buffer.from(encodeBeat(testBeat(), keys));
  assert.equal(bytes.length, 96);
  const parts: Readonly<Record<string, [number, number]>> = {
    "55534231": [0, 4],
    "01": [4, 5],
    bb: [5, 6],
    "03": [6, 7],
    "1d": [7, 8],
    "0000000000000102": [8, 16],
    "000102030405060708090a0b0c0d0e0f": [16, 32],
    "0123456789abcdef": [32, 40],
    "0000000000000007": [40, 48],
    // The beginning of: printf tlha | sha256sum
    a19d8001: [48, 52],
    c0ffee01: [52, 56],
    "00000003": [56, 60],
    "02": [60, 61],
    fedcba9876543210: [64, 72],
    "0000010000000001": [72, 80],
  };
  for (const [hex, [from, to]] of Object.entries(parts)) {
    assert.equal(bytes.toString("hex", from, to), hex, `bytes ${from}-${to - 1}`);
  }
  assert.equal(bytes.toString("hex", 61, 64), "018005", "key id and the paths it hears on");
  assert.deepEqual(resign(bytes), Uint8Array.from(bytes), "signed over the first 80 bytes");
});

test("what is written is read again, whatever is in it", () => {
  const next = seeded(11);
  for (let round = 0; round < 500; round += 1) {
    const bit = () => next(2) === 1;
    const hex = (bytes: number) =>
      Array.from({ length: bytes }, () => next(256).toString(16).padStart(2, "0")).join("");
    const beat: Beat = {
      sender: bit() ? "primary" : "secondary",
      nonce: hex(8),
      sequence: next(2 ** 32) * 2 ** 20 + next(2 ** 20),
      epoch: next(2 ** 32),
      role: roles[next(roles.length)] ?? "failed",
      health: { clientLink: bit(), node: bit(), services: bit(), store: bit() },
      verified: bit(),
      inSync: bit(),
      goodbye: bit(),
      unwell: bit(),
      preference: { side: ([undefined, "primary", "secondary"] as const)[next(3)], version: next(2 ** 32) },
      configDigest: hex(4),
      asks: bit(),
      answers: bit(),
      heardOn: bit() ? next(2 ** 15) : undefined,
      echo: bit() ? { nonce: hex(8), sequence: next(2 ** 32) } : undefined,
      claimToken: bit() ? hex(16) : undefined,
    };
    assert.deepEqual(decoded(encodeBeat(beat, keys)), beat);
  }
});

test("R29: every key of the ring is accepted, one that we lack makes a foreign beat", () => {
  const other = decodeBeat(encodeBeat(testBeat(), beatKeys("tlha", testRing(2, 1))), keys);
  assert.deepEqual([other.kind, other.kind === "beat" && other.keyId], ["beat", 2]);
  const unknown = decodeBeat(encodeBeat(testBeat(), beatKeys("tlha", testRing(3))), keys);
  assert.equal(unknown.kind, "foreign");
  const forged = beatKeys("tlha", { keys: [{ ...testKey(9), id: 1 }], signWith: 1 });
  assert.equal(decodeBeat(encodeBeat(testBeat(), forged), keys).kind, "foreign");
});

test("another cluster, another version and no beat at all are told apart", () => {
  const bytes = encodeBeat(testBeat(), keys);
  assert.equal(
    decodeBeat(encodeBeat(testBeat(), beatKeys("other", testRing(1))), keys).kind,
    "other-cluster",
  );
  const newer = Buffer.concat([bytes, Buffer.alloc(32)]);
  newer[4] = 2;
  const result = decodeBeat(newer, keys);
  assert.ok(result.kind === "other-version" && result.version === 2);
  assert.match(result.reason, /version 2 of the heartbeat, newer than ours, 1/);
  newer[4] = 0;
  assert.match(String(Reflect.get(decodeBeat(newer, keys), "reason")), /older/);
  assert.equal(decodeBeat(Buffer.from("GET / HTTP/1.1"), keys).kind, "garbage");
  for (let length = 0; length < beatBytes; length += 1)
    assert.equal(decodeBeat(bytes.subarray(0, length), keys).kind, "garbage", `cut to ${length}`);
});

test("a later version may use the unknown bits of health", () => {
  const bytes = Buffer.from(encodeBeat(testBeat(), keys));
  bytes[7] = (bytes[7] ?? 0) | 0xf0;
  assert.deepEqual(decoded(resign(bytes)), testBeat());
});

test("a signed beat with values that are none is refused with its reason", () => {
  const changes: readonly [number, number, RegExp][] = [
    [6, roles.length, /role 7 is none/],
    [60, 3, /side 3 is none/],
    [40, 0xff, /beyond 2\^53/],
    // 2^52 and 258, above which no claim would be left.
    [9, 0x10, /epoch 4503599627370754 is beyond any that a pair reaches/],
  ];
  for (const [at, value, reason] of changes) {
    const bytes = Buffer.from(encodeBeat(testBeat(), keys));
    bytes[at] = value;
    const result = decodeBeat(resign(bytes), keys);
    assert.equal(result.kind, "garbage");
    assert.match(String(Reflect.get(result, "reason")), reason);
  }
});

test("fuzz: ten thousand mutations crash nothing, and none but the original is believed", () => {
  const next = seeded(20_261_124);
  const original = Buffer.from(encodeBeat(testBeat(), keys));
  let kinds = "";
  for (let round = 0; round < 10_000; round += 1) {
    let bytes = Buffer.from(original);
    const mutations = 1 + next(6);
    for (let count = 0; count < mutations; count += 1) {
      const way = next(5);
      if (way < 3) bytes[next(bytes.length || 1)] = next(256);
      else if (way === 3) bytes = bytes.subarray(0, next(bytes.length + 1));
      else bytes = Buffer.concat([bytes, Buffer.alloc(next(40), next(256))]);
    }
    const { kind } = decodeBeat(bytes, keys);
    if (!kinds.includes(kind)) kinds += ` ${kind}`;
    assert.ok(kind !== "beat" || bytes.equals(original), `seed round ${round}: ${bytes.toString("hex")}`);
  }
  for (const kind of ["foreign", "garbage", "other-version", "other-cluster"])
    assert.ok(kinds.includes(kind), `the mutations reach ${kind}`);
  for (let at = 0; at < original.length; at += 1) {
    for (let bit = 0; bit < 8; bit += 1) {
      const bytes = Buffer.from(original);
      bytes[at] = (bytes[at] ?? 0) ^ (1 << bit);
      assert.notEqual(decodeBeat(bytes, keys).kind, "beat", `bit ${bit} of byte ${at}`);
    }
  }
});

test("R5: both nodes compute the same claim token, another one for each epoch, cluster and key", () => {
  const of = (id: number, cluster: string, epoch: number) =>
    Buffer.from(claimToken(testKey(id), cluster, epoch)).toString("hex");
  assert.equal(of(1, "tlha", 12), of(1, "tlha", 12));
  assert.equal(new Set([of(1, "tlha", 12), of(1, "tlha", 14), of(2, "tlha", 12), of(1, "b", 12)]).size, 4);
  const armed = claimTokens(testRing(1, 2), "tlha", [12, 14]);
  assert.deepEqual(
    armed.map(({ epoch }) => epoch),
    [12, 12, 14, 14],
  );
  assert.equal(Buffer.from(armed[1]?.token ?? []).toString("hex"), of(2, "tlha", 12));
});
