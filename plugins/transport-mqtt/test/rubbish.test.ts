/** Whatever a server sends, the node process lives: the connection ends with a reason, or waits for its limit. */

import assert from "node:assert/strict";
import type { Socket } from "node:net";
import { Duplex } from "node:stream";
import { test } from "node:test";
import { testNode, testPath } from "@understudy/core/conformance/capabilities";
import { MqttClient } from "mqtt";
import { openConnection } from "../src/connection.js";
import { namesOf } from "../src/names.js";

const names = namesOf("understudy", testNode(), testPath({ name: "mqtt" }));
const connack = Buffer.from([0x20, 3, 0, 0, 0]);

/** A server that sends `bytes`; gives why the connection ended, undefined when it did not. */
async function receive(bytes: Buffer): Promise<string | undefined> {
  let why: string | undefined;
  const stream = new Duplex({ read() {}, write: (_chunk, _encoding, done) => done() });
  const socket = { stream: stream as Socket, reset: () => void stream.destroy() };
  const credentials = {
    user: undefined,
    password: undefined,
    ca: undefined,
    cert: undefined,
    key: undefined,
  };
  const connection = openConnection(
    {
      Client: MqttClient,
      socket,
      names,
      nodeName: "one",
      instance: "x",
      returning: false,
      credentials,
      silenceMs: 60_000,
    },
    {
      welcomed() {},
      up() {},
      beat: (frame) => assert.ok(frame.length >= 1 && frame.length <= 512),
      presence() {},
      answered() {},
      down(trouble) {
        why = trouble.text;
      },
    },
  );
  for (let at = 0; at < bytes.length; at += 65_536) {
    stream.push(bytes.subarray(at, at + 65_536));
    await new Promise((resolve) => setImmediate(resolve));
  }
  await new Promise((resolve) => setImmediate(resolve));
  connection.send(Buffer.from("beat"));
  connection.drop();
  return why;
}

/** Numbers from 0 to 1, the same for the same seed (a linear congruential generator). */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fff_ffff;
    return state / 0x7fff_ffff;
  };
}

test("three thousand kinds of rubbish, half of them after a friendly beginning", async () => {
  const random = seeded(20_261_124);
  const upTo = (limit: number) => Math.floor(random() * limit);
  const bytes = (length: number) => Buffer.from(Array.from({ length }, () => upTo(256)));
  const packet = (first: number, body: Buffer) => Buffer.concat([Buffer.from([first, body.length]), body]);
  const publication = () => {
    const topic = Buffer.from([0, 1, 0x74]);
    const properties = bytes(upTo(20));
    return packet(0x30, Buffer.concat([topic, Buffer.from([properties.length]), properties, bytes(10)]));
  };
  const kinds = [
    () => bytes(1 + upTo(60)),
    () => Buffer.concat([connack, bytes(1 + upTo(60))]),
    () => Buffer.concat([connack, publication(), publication()]),
    () => Buffer.concat([connack, packet(upTo(16) * 16 + upTo(16), bytes(upTo(30)))]),
    () => Buffer.concat([connack, packet(0x62, bytes(upTo(3))), packet(0x62, Buffer.alloc(0))]),
    () => packet(0x20, Buffer.concat([Buffer.from([0, 0]), bytes(upTo(30))])),
  ];
  let ended = 0;
  for (let turn = 0; turn < 3000; turn += 1) {
    const rubbish = kinds[turn % kinds.length]?.() ?? Buffer.alloc(0);
    if ((await receive(rubbish)) !== undefined) ended += 1;
  }
  // An exception that escapes fails the test by itself; this says that the rubbish was read at all.
  assert.ok(ended > 1500, `${ended} connections were ended`);
});

test("packets that nobody asked for end the connection by name", async () => {
  // PUBREL without its packet id: the library would throw on it.
  assert.equal(
    await receive(Buffer.concat([connack, Buffer.from([0x62, 0])])),
    "it speaks no MQTT that we understand",
  );
  assert.notEqual(await receive(Buffer.from("HTTP/1.1 400 Bad Request\r\n\r\n")), undefined);
  assert.notEqual(await receive(Buffer.from("SSH-2.0-OpenSSH_9.2\r\n")), undefined);
});

test("a packet that never ends is not kept", async () => {
  // The longest that the protocol can announce: 256 MiB (MQTT 5, 1.5.5).
  const announced = Buffer.from([0x30, 0xff, 0xff, 0xff, 0x7f]);
  const why = await receive(Buffer.concat([connack, announced, Buffer.alloc(1024 * 1024)]));
  assert.equal(why, "it sends more than fits, or speaks no MQTT");
});
