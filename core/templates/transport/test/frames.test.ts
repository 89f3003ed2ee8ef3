/** Your own tests stand beside the suite: here, that frames are found again however the stream cuts them. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { createFrameReader, withLength } from "../src/frames.ts";

test("frames are found again, byte by byte", () => {
  const found: string[] = [];
  const read = createFrameReader((frame) => found.push(Buffer.from(frame).toString()));
  for (const text of ["one", "two", "three"]) {
    for (const byte of withLength(Buffer.from(text))) assert.equal(read(Uint8Array.of(byte)), true);
  }
  assert.deepEqual(found, ["one", "two", "three"]);
});

test("a stream that is none is given up", () => {
  const read = createFrameReader(() => assert.fail("there is no frame in it"));
  assert.equal(read(Buffer.from("GET / HTTP/1.1")), false);
});
