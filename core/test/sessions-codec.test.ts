/**
 * The bytes of replication: what is written is read, and what was cut or changed on its way is refused as a whole,
 * without a crash and without half of it being used.
 */

import assert from "node:assert/strict";
import { test } from "node:test";
import { createReader, createWriter } from "../src/sessions/bytes.js";
import { zero } from "../src/sessions/digest.js";
import { createOutbox, decodeEnvelope, type Head, type Message } from "../src/sessions/messages.js";
import { hashRow, putRow, takeRow } from "../src/sessions/row-codec.js";
import type { SessionRow } from "../src/sessions/store.js";
import { seeded } from "./seeded.js";
import { testId } from "./sessions-pair.js";

const head: Head = {
  serving: true,
  promises: false,
  believes: true,
  refuses: false,
  epoch: 2 ** 52,
  sentMs: 123.25,
  echoMs: 0,
};

function row(at: number): SessionRow {
  return {
    id: testId(`row${at}`),
    user: `Jürgen ${"x".repeat(at % 40)} 🖥`,
    agent: "agent1.example.com",
    createdAt: "2026-11-24T05:40:07.123Z",
    attributes: JSON.stringify({ display: ":10", note: "…".repeat(at % 30) }),
    ended: at % 3 === 0,
    overLimit: at % 3 === 1,
    epoch: at,
    origin: "p0123456789ab",
    sequence: 2 ** 40 + at,
  };
}

const vector = new Map([
  ["p0123456789ab", 5],
  ["s0123456789ab", 2 ** 52],
]);
const sum = { high: 0xfedcba98, low: 0x12345678 };

const plain: readonly Exclude<Message, { type: "changes" | "repairRows" }>[] = [
  {
    type: "hello",
    hello: { origin: "p0123456789ab", vector, pruned: new Map(), dropped: 3, rows: 7, mustRefill: true },
  },
  { type: "caughtUp", vector },
  { type: "confirm", origin: "s0123456789ab", through: 9 },
  { type: "digest", vector: sum, digest: { ...zero } },
  { type: "buckets", sums: [sum, { ...zero }, sum] },
  { type: "differing", buckets: [0, 5, 1023] },
  { type: "repaired" },
  { type: "snapshotBegins", bytes: 2 ** 33, vector },
  { type: "snapshotChunk", bytes: Buffer.from([1, 2, 3]) },
  { type: "snapshotEnds" },
  { type: "freezeAsked", id: 7, vector: sum, digest: sum },
  { type: "freezeAnswered", id: 7, equal: true },
];

function envelope(): Buffer {
  const outbox = createOutbox();
  for (const message of plain) outbox.put(message);
  const writer = createWriter(16);
  const hash = { ...zero };
  for (let at = 0; at < 20; at += 1) putRow(writer, row(at), hash);
  outbox.putChanges({ origin: "p0123456789ab", from: 4, through: 24, settled: true }, 20, writer);
  outbox.putRepairRows(20, writer);
  return outbox.seal(head);
}

test("every message comes back as it was, and a row with its hash", () => {
  const decoded = decodeEnvelope(envelope());
  assert.deepEqual(decoded?.head, head);
  assert.deepEqual(decoded?.messages.slice(0, plain.length), plain);
  const rows = Array.from({ length: 20 }, (_, at) => ({ row: row(at), hash: hashRow(row(at), { ...zero }) }));
  assert.deepEqual(decoded?.messages.slice(plain.length), [
    { type: "changes", origin: "p0123456789ab", from: 4, through: 24, settled: true, rows },
    { type: "repairRows", rows },
  ]);
  assert.deepEqual(decodeEnvelope(createOutbox().seal(head)), { head, messages: [] });
});

test("the hash of a row leaves out what follows from other rows", () => {
  const flagged = hashRow({ ...row(2), overLimit: true }, { ...zero });
  assert.deepEqual(flagged, hashRow({ ...row(2), overLimit: false }, { ...zero }));
  assert.notDeepEqual(flagged, hashRow({ ...row(2), agent: "agent2" }, { ...zero }));
});

test("an envelope cut anywhere is refused, unless the cut leaves whole messages", () => {
  const bytes = envelope();
  const whole = decodeEnvelope(bytes)?.messages.length ?? 0;
  for (let end = 0; end < bytes.length; end += 7) {
    const decoded = decodeEnvelope(bytes.subarray(0, end));
    if (decoded !== undefined) assert.ok(decoded.messages.length < whole);
  }
});

test("a row with any bit turned is refused", () => {
  const writer = createWriter();
  putRow(writer, row(5), { ...zero });
  const bytes = Buffer.from(writer.buffer.subarray(0, writer.length));
  const overLimitAt = 8;
  for (let bit = 0; bit < bytes.length * 8; bit += 1) {
    const at = bit >> 3;
    // The flag that follows from other rows is not guarded, and neither are bits that mean nothing.
    if (at === overLimitAt && (bit & 7) !== 0) continue;
    const turned = Buffer.from(bytes);
    turned[at] = (turned[at] ?? 0) ^ (1 << (bit & 7));
    assert.throws(() => takeRow(createReader(turned), { ...zero }), `bit ${bit}`);
  }
});

test("noise and mutations never crash the decoder, and rows among them are whole or absent", () => {
  const random = seeded(11);
  const bytes = envelope();
  const text = (of: SessionRow) => JSON.stringify(Object.entries({ ...of, overLimit: false }).sort());
  const known = new Set(Array.from({ length: 20 }, (_, at) => text(row(at))));
  for (let round = 0; round < 5000; round += 1) {
    const mutated = random.chance(0.1)
      ? Buffer.from(Array.from({ length: random.below(200) }, () => random.below(256)))
      : Buffer.from(bytes);
    for (let count = random.below(4); count >= 0 && mutated.length > 0; count -= 1) {
      mutated[random.below(mutated.length)] = random.below(256);
    }
    const decoded = decodeEnvelope(mutated.subarray(0, mutated.length - random.below(3)));
    for (const message of decoded?.messages ?? []) {
      if (message.type !== "changes" && message.type !== "repairRows") continue;
      for (const { row: arrived } of message.rows) {
        assert.ok(known.has(text(arrived)), `round ${round}`);
      }
    }
  }
});
