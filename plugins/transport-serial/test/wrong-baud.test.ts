/** Two ends at different baud rates, bit by bit: nothing false is delivered, and what is wrong is named in either direction. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { createDecoder, encodeFrame, longestOnLine } from "../src/frames.js";
import { createLineQuality } from "../src/line-quality.js";
import { receivedAt } from "./uart.js";

/** Beats as they are: a few bytes that never change, counters, and a code of sixteen bytes that looks like chance. */
function beats(count: number): Uint8Array {
  const into = new Uint8Array(longestOnLine);
  const all = Array.from({ length: count }, (_, sequence) => {
    const beat = new Uint8Array(96);
    beat.set(Buffer.from("USB1\u0001\u0002\u0001\u000f"));
    beat[47] = sequence & 0xff;
    for (let byte = 80; byte < 96; byte += 1) beat[byte] = Math.imul(sequence * 31 + byte, 2654435761) >>> 24;
    return into.slice(0, encodeFrame("secondary", beat, into));
  });
  return Buffer.concat(all);
}

test("at the same rate, and within what two clocks may differ, every byte arrives", () => {
  const line = beats(5);
  for (const [receiver, sender] of [
    [9600, 9600],
    [9600, 9600 * 1.02],
    [9600 * 1.02, 9600],
  ] as const) {
    assert.deepEqual(Buffer.from(receivedAt(receiver, line, sender)), Buffer.from(line));
  }
});

const rates = [1200, 9600, 19_200, 38_400, 57_600, 115_200, 230_400];

for (const receiver of rates) {
  for (const sender of rates.filter((rate) => rate !== receiver)) {
    test(`${sender} baud heard at ${receiver}: no frame, and the baud rate is doubted`, () => {
      const quality = createLineQuality(3000);
      quality.opened(0);
      const decode = createDecoder({
        frame: () => assert.fail("a frame out of garbage"),
        damaged: () => quality.frameDamaged(),
      });
      let beatsSent = 0;
      while (quality.trouble(0) === undefined && beatsSent < 2000) {
        const bytes = receivedAt(receiver, beats(10), sender);
        quality.arrived(bytes, 0);
        decode(bytes);
        beatsSent += 10;
      }
      assert.match(String(quality.trouble(0)), /bytes arrive but no frame: is the baud rate the same/);
    });
  }
}
