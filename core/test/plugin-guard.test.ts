/**
 * What stands between the core and a plugin that breaks its contract at run time: nothing it does goes further, each kind
 * of misuse is logged once with its code, and status shows it.
 */

import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { recordingLog } from "../src/conformance/capabilities.js";
import type { AddressBackend, Service, Transport } from "../src/plugin/contract.js";
import { guarded } from "../src/plugin/guard.js";

function watch() {
  const log = recordingLog();
  return { log, codes: () => log.lines.map(({ fields }) => fields.code), options: { who: "x (here)", log } };
}

function transport(changes: Partial<Record<keyof Transport, unknown>>): Transport {
  const plain = { async start() {}, send() {}, async stop() {}, describe: () => "a path" };
  return { ...plain, ...changes } as unknown as Transport;
}

test("a send that gives a promise that fails does no harm, and is told once", async () => {
  const { codes, options } = watch();
  const later = guarded(transport({ send: () => Promise.reject(new Error("later")) }), "transport", options);
  for (let count = 0; count < 3; count += 1) later.send(new Uint8Array(1));
  // A rejection that nobody handles would end this process here.
  await setImmediate();
  assert.deepEqual(codes(), ["PLUGIN_SYNC_PROMISE"]);
  assert.equal(later.describe(), "a path (breaks its contract: PLUGIN_SYNC_PROMISE)");
});

test("what a synchronous method throws is for its caller, who names it", () => {
  const { codes, options } = watch();
  const throws = guarded(transport({ send: () => assert.fail("no") }), "transport", options);
  assert.throws(() => throws.send(new Uint8Array(1)), /no/);
  assert.deepEqual(codes(), []);
});

test("only frames are delivered, and none after the stop", async () => {
  const { codes, options } = watch();
  let receive: (frame: unknown) => void = () => {};
  const made = transport({
    start(callback: typeof receive) {
      receive = callback;
    },
  });
  const guard = guarded(made, "transport", options);
  const heard: Uint8Array[] = [];
  await guard.start((frame) => heard.push(frame));
  receive(Uint8Array.of(1));
  for (const wrong of ["text", new Uint8Array(0), new Uint8Array(513), undefined]) receive(wrong);
  assert.deepEqual(codes(), ["PLUGIN_FRAME_WRONG"]);
  await guard.stop();
  receive(Uint8Array.of(2));
  assert.deepEqual(codes(), ["PLUGIN_FRAME_WRONG", "PLUGIN_CALLBACK_LATE"]);
  assert.deepEqual(heard, [Uint8Array.of(1)]);
});

test("an answer that the contract does not know is unknown, or failing", async () => {
  const { codes, options } = watch();
  const backend = guarded(
    { acquire: async () => true, holds: () => "yes", describe: () => "a\nb" } as unknown as AddressBackend,
    "address",
    options,
  );
  assert.equal(await backend.acquire(1), "unknown");
  assert.equal(await backend.holds(), "unknown");
  assert.match(
    backend.describe(),
    /^a b \(breaks its contract: PLUGIN_ANSWER_WRONG, PLUGIN_DESCRIBE_WRONG\)$/,
  );
  assert.deepEqual(codes(), ["PLUGIN_ANSWER_WRONG", "PLUGIN_DESCRIBE_WRONG"]);
  const service = guarded({ health: () => undefined } as unknown as Service, "service", options);
  assert.equal(await service.health(), "failing");
});

test("a plain function in the place of an async one, and `this`, work as people expect", async () => {
  const { codes, options } = watch();
  class Counting {
    #starts = 0;
    start() {
      this.#starts += 1;
    }
    stop() {
      throw new Error("busy");
    }
    describe() {
      return `started ${this.#starts} times`;
    }
  }
  const guard = guarded(new Counting() as unknown as Service, "service", options);
  await guard.start();
  assert.equal(guard.describe(), "started 1 times");
  await assert.rejects(guard.stop(), /busy/);
  assert.deepEqual(codes(), []);
});
