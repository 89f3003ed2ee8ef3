/** Framing under everything a line can do to bytes: what is delivered was sent, and only what was touched is lost. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { crc32 } from "node:zlib";
import type { Side } from "@understudy/core/public";
import { bytesOnLine, createDecoder, encodeFrame, longestOnLine } from "../src/frames.js";

type Random = () => number;

/** Mulberry32: the same seed, the same numbers. */
function randomOf(seed: number): Random {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

const below = (random: Random, limit: number) => Math.floor(random() * limit);
/** Zeros and 255 are what stuffing is about, so they come often. */
const byteOf = (random: Random) => [0, 0xff, below(random, 256), below(random, 256)][below(random, 4)] ?? 0;
const bytesOf = (random: Random, length: number) => Uint8Array.from({ length }, () => byteOf(random));

function encoded(frame: Uint8Array, side: Side = "primary"): Uint8Array {
  const into = new Uint8Array(longestOnLine);
  return into.slice(0, encodeFrame(side, frame, into));
}

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");

/** Fed in pieces of any size; gives the frames in order. */
function decoded(line: Uint8Array, random: Random): { frames: string[]; damaged: number } {
  const frames: string[] = [];
  let damaged = 0;
  const decode = createDecoder({
    frame: (_, frame) => frames.push(hex(frame)),
    damaged: () => {
      damaged += 1;
    },
  });
  for (let at = 0; at < line.length; ) {
    const next = Math.min(line.length, at + 1 + below(random, 40));
    decode(line.subarray(at, next));
    at = next;
  }
  return { frames, damaged };
}

test("frames of every length come out as they went in, with the side that sent them", () => {
  const random = randomOf(1);
  for (let length = 1; length <= 512; length += 1) {
    for (const fill of [bytesOf(random, length), new Uint8Array(length), new Uint8Array(length).fill(7)]) {
      const got: [Side, string][] = [];
      const decode = createDecoder({
        frame: (from, frame) => got.push([from, hex(frame)]),
        damaged: () => assert.fail("undamaged"),
      });
      const side = length % 2 === 0 ? "primary" : "secondary";
      const line = encoded(fill, side);
      decode(line);
      assert.deepEqual(got, [[side, hex(fill)]]);
      assert.ok(line.length <= bytesOnLine(length));
      assert.ok(!line.subarray(1, -1).includes(0), "no zero within a frame");
    }
  }
});

test("a beat of 96 bytes is 104 on the line, and the longest frame fits", () => {
  assert.equal(bytesOnLine(96), 104);
  assert.equal(encoded(new Uint8Array(96).fill(7)).length, 104);
  assert.equal(encoded(new Uint8Array(512).fill(7)).length, longestOnLine);
});

test("the checksum is the CRC-32 of ISO 3309", () => {
  // The check value of CRC-32/ISO-HDLC, as catalogues of checksums give it for these nine bytes.
  assert.equal(crc32(Buffer.from("123456789")), 0xcbf43926);
  const line = encoded(Uint8Array.of(1, 2, 3));
  const content = Buffer.from([0x11, 1, 2, 3]);
  const checksum = Buffer.alloc(4);
  checksum.writeUInt32LE(crc32(content));
  assert.equal(hex(line), `0009${hex(content)}${hex(checksum)}00`);
});

test("any bytes between frames cost no frame and deliver none", () => {
  for (let seed = 1; seed <= 500; seed += 1) {
    const random = randomOf(seed);
    const sent: string[] = [];
    const line: Uint8Array[] = [];
    for (let count = 0; count < 20; count += 1) {
      const frame = bytesOf(random, 1 + below(random, 200));
      sent.push(hex(frame));
      line.push(bytesOf(random, below(random, 700)), encoded(frame));
    }
    assert.deepEqual(decoded(Buffer.concat(line), random).frames, sent, `seed ${seed}`);
  }
});

interface Touch {
  readonly name: string;
  /** Changes the line at that byte; says how many bytes from there on were touched. */
  apply(line: number[], at: number, random: Random): number;
}

const touches: readonly Touch[] = [
  {
    name: "a flipped bit",
    apply(line, at, random) {
      line[at] = (line[at] ?? 0) ^ (1 << below(random, 8));
      return 1;
    },
  },
  {
    name: "a cut",
    apply(line, at, random) {
      const length = 1 + below(random, 150);
      line.splice(at, length);
      return length;
    },
  },
  {
    name: "a doubled stretch",
    apply(line, at, random) {
      const length = 1 + below(random, 150);
      line.splice(at, 0, ...line.slice(at, at + length));
      return length;
    },
  },
  {
    name: "an inserted byte",
    apply(line, at, random) {
      line.splice(at, 0, byteOf(random));
      return 1;
    },
  },
  {
    name: "a byte that is something else",
    apply(line, at, random) {
      line[at] = byteOf(random);
      return 1;
    },
  },
  {
    name: "a garbled stretch",
    apply(line, at, random) {
      const length = 1 + below(random, 150);
      for (let byte = at; byte < Math.min(at + length, line.length); byte += 1) line[byte] = byteOf(random);
      return length;
    },
  },
];

for (const touch of touches) {
  test(`${touch.name} alters no frame and costs only those it touched`, () => {
    for (let seed = 1; seed <= 2000; seed += 1) {
      const random = randomOf(seed);
      const frames = Array.from({ length: 12 }, () => bytesOf(random, 1 + below(random, 120)));
      const starts: number[] = [];
      const line: number[] = [];
      for (const frame of frames) {
        starts.push(line.length);
        line.push(...encoded(frame));
      }
      const at = below(random, line.length);
      const whole = line.length;
      const length = touch.apply(line, at, random);
      const untouched = frames.filter((_, index) => {
        const start = starts[index] ?? 0;
        const end = starts[index + 1] ?? whole;
        return end <= at || start >= at + length;
      });
      const sent = new Set(frames.map(hex));
      const { frames: got } = decoded(Uint8Array.from(line), random);
      assert.ok(
        got.every((frame) => sent.has(frame)),
        `seed ${seed}: what is delivered was sent`,
      );
      const kept = new Set(got);
      assert.ok(
        untouched.every((frame) => kept.has(hex(frame))),
        `seed ${seed}: an untouched frame is delivered`,
      );
    }
  });
}

test("noise without an end is held in bounded memory and the next frame arrives", () => {
  const random = randomOf(5);
  const noise = Uint8Array.from({ length: 1_000_000 }, () => 1 + below(random, 255));
  const frame = bytesOf(random, 96);
  const { frames, damaged } = decoded(Buffer.concat([noise, encoded(frame)]), random);
  assert.deepEqual(frames, [hex(frame)]);
  assert.equal(damaged, 1);
});

test("a frame of another version of this framing is not taken for one", () => {
  const line = encoded(Uint8Array.of(9, 9, 9));
  const content = Buffer.from([0x21, 9, 9, 9]);
  const checksum = Buffer.alloc(4);
  checksum.writeUInt32LE(crc32(content));
  const other = Buffer.concat([Buffer.from([0, 9]), content, checksum, Buffer.from([0])]);
  assert.deepEqual(decoded(Buffer.concat([other, line]), randomOf(1)), { frames: ["090909"], damaged: 1 });
});
