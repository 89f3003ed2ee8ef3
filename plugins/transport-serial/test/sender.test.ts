/** The sender and what keeps the port open, with ports of the test's own: drivers that behave as no pseudo terminal does. */

import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { recordingLog } from "@understudy/core/conformance/capabilities";
import { until } from "@understudy/core/conformance/until";
import type { OpenPort, Port, PortEvents } from "../src/port.js";
import { createSender } from "../src/sender.js";
import { serialTransport } from "../src/serial-transport.js";

interface TestPort extends Port {
  readonly written: number[];
  unsent: number;
  closed: boolean;
}

/** Notes the first byte of the frame in each write. */
function testPort(): TestPort {
  return {
    written: [],
    unsent: 0,
    closed: false,
    write(bytes) {
      this.written.push(bytes[3] ?? -1);
      return bytes.length;
    },
    unsentBytes() {
      return this.unsent;
    },
    settingsWereChanged: () => false,
    async close() {
      this.closed = true;
    },
  };
}

const beat = (fill: number) => new Uint8Array(96).fill(fill);

/** At 9600 baud a byte takes 1.04 ms, and a beat 108.3. */
async function inTestTime(work: (pass: (ms: number) => void) => void | Promise<void>): Promise<void> {
  mock.timers.enable({ apis: ["setTimeout"] });
  let nowMs = 1000;
  const now = mock.method(performance, "now", () => nowMs);
  try {
    await work((ms) => {
      for (let passed = 0; passed < ms; passed += 1) {
        nowMs += 1;
        mock.timers.tick(1);
      }
    });
  } finally {
    now.mock.restore();
    mock.timers.reset();
  }
}

test("a beat goes out at once on a free line, and never before the one ahead of it has left", () =>
  inTestTime((pass) => {
    const port = testPort();
    const sender = createSender(9600, () => assert.fail("not stuck"));
    sender.attach(port);
    sender.send("primary", beat(1));
    assert.deepEqual(port.written, [1]);
    pass(50);
    sender.send("primary", beat(2));
    sender.send("primary", beat(3));
    pass(58);
    assert.deepEqual(port.written, [1]);
    pass(1);
    assert.deepEqual(port.written, [1, 3]);
    pass(500);
    sender.send("primary", beat(4));
    assert.deepEqual(port.written, [1, 3, 4]);
  }));

test("a driver that still holds bytes is waited for, with the newest beat alone", () =>
  inTestTime((pass) => {
    const port = testPort();
    const sender = createSender(9600, () => assert.fail("not stuck"));
    sender.attach(port);
    sender.send("primary", beat(1));
    port.unsent = 60;
    pass(200);
    for (const fill of [2, 3, 4]) sender.send("primary", beat(fill));
    pass(62);
    assert.deepEqual(port.written, [1]);
    port.unsent = 0;
    pass(1);
    assert.deepEqual(port.written, [1, 4]);
  }));

test("a driver that keeps what it was given is stuck, and said to be", () =>
  inTestTime((pass) => {
    let stuck = 0;
    const port = testPort();
    const sender = createSender(9600, () => {
      stuck += 1;
      sender.detach();
    });
    sender.attach(port);
    sender.send("primary", beat(1));
    port.unsent = 104;
    for (let sent = 0; sent < 30 && stuck === 0; sent += 1) {
      sender.send("primary", beat(2));
      pass(136);
    }
    assert.equal(stuck, 1);
    assert.deepEqual(port.written, [1]);
  }));

test("what waited when the port went away is not sent on the next one", () =>
  inTestTime((pass) => {
    const [gone, next] = [testPort(), testPort()];
    const sender = createSender(9600, () => assert.fail("not stuck"));
    sender.attach(gone);
    sender.send("primary", beat(1));
    sender.send("primary", beat(2));
    sender.detach();
    sender.send("primary", beat(3));
    sender.attach(next);
    pass(1000);
    assert.deepEqual(next.written, []);
    sender.send("primary", beat(4));
    assert.deepEqual(next.written, [4]);
    assert.deepEqual(gone.written, [1]);
  }));

/** Gives one port after the other, and keeps what the transport wants to be told of each. */
function opening(...results: (TestPort | string)[]) {
  const given: { port: TestPort; events: PortEvents }[] = [];
  const open: OpenPort = async (_device, _baud, events) => {
    const result = results.shift() ?? "no more";
    if (typeof result !== "string") given.push({ port: result, events });
    return result;
  };
  return { open, given };
}

const line = { device: "/dev/test", baud: 115_200, side: "primary" } as const;

test("a stuck driver's port is closed and the device opened anew", async () => {
  const [first, second] = [testPort(), testPort()];
  const { open, given } = opening(first, second);
  const log = recordingLog();
  const transport = serialTransport(line, open, log);
  await transport.start(() => undefined);
  first.unsent = 104;
  await until("the second port", () => given.length === 2, { again: () => transport.send(beat(1)) });
  assert.ok(first.closed);
  await until("a beat on it", () => second.written.length > 0, { again: () => transport.send(beat(1)) });
  assert.ok(log.lines.some(({ fields }) => fields.reason === "down, it sends nothing"));
  await transport.stop();
  assert.ok(second.closed);
});

test("a port that is lost in the middle of its opening is closed and tried again", async () => {
  const [lost, good] = [testPort(), testPort()];
  const results = [lost, good];
  const open: OpenPort = async (_device, _baud, events) => {
    const port = results.shift() ?? good;
    if (port === lost) events.lost("it hung up");
    return port;
  };
  const transport = serialTransport(line, open, recordingLog());
  await transport.start(() => undefined);
  assert.ok(lost.closed);
  assert.equal(transport.describe(), "/dev/test at 115200 baud: down, it hung up");
  await until("the next one", () => transport.describe() === "/dev/test at 115200 baud");
  await transport.stop();
});

test("what a closed port still says is not heard", async () => {
  const [first, second] = [testPort(), testPort()];
  const { open, given } = opening(first, second);
  const transport = serialTransport(line, open, recordingLog());
  await transport.start(() => undefined);
  given[0]?.events.lost("it hung up");
  given[0]?.events.lost("it failed: EBADF");
  assert.match(transport.describe(), /down, it hung up$/);
  await until("the second port", () => transport.describe() === "/dev/test at 115200 baud");
  given[0]?.events.lost("late");
  assert.equal(transport.describe(), "/dev/test at 115200 baud");
  assert.equal(second.closed, false);
  await transport.stop();
});

test("a device that answers nobody keeps neither the start nor the sender waiting", {
  timeout: 20_000,
}, async () => {
  const hangs = Promise.withResolvers<string>();
  const transport = serialTransport(line, () => hangs.promise, recordingLog());
  await transport.start(() => undefined);
  transport.send(beat(1));
  assert.match(transport.describe(), /down, it has not answered yet$/);
  await transport.stop();
});
