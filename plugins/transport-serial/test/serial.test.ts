/** What the suite for all transports cannot know of a serial line: its pace, its troubles and what is said of them. */

import assert from "node:assert/strict";
import {
  closeSync,
  constants,
  mkdtempSync,
  openSync,
  readSync,
  rmSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import {
  makePlugin,
  otherNode,
  type RecordingLog,
  recordingLog,
  testNode,
} from "@understudy/core/conformance/capabilities";
import { until } from "@understudy/core/conformance/until";
import type { NodeIdentity, Transport } from "@understudy/core/public";
import koffi from "koffi";
import serial from "../src/plugin.js";
import { type Cable, layCable } from "./cable.js";

function make(
  options: object,
  node: NodeIdentity = testNode(),
  log: RecordingLog = recordingLog(),
): Transport {
  return makePlugin(serial, { ...options }, { node, log });
}

const beat = (fill = 1) => new Uint8Array(96).fill(fill);

/** With a cable, and both ends of what the test started stopped at its end. */
async function withCable(work: (cable: Cable, started: Transport[]) => Promise<void>): Promise<void> {
  const cable = await layCable();
  const started: Transport[] = [];
  try {
    await work(cable, started);
  } finally {
    await Promise.all(started.map((transport) => transport.stop()));
    await cable.remove();
  }
}

/** The other end as a bare device. */
function openRaw(device: string): { read(): Buffer; write(bytes: Uint8Array | string): void; close(): void } {
  const fd = openSync(device, constants.O_RDWR | constants.O_NOCTTY | constants.O_NONBLOCK);
  const buffer = Buffer.alloc(65_536);
  return {
    read() {
      try {
        return Buffer.from(buffer.subarray(0, readSync(fd, buffer)));
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "EAGAIN") throw error;
        return Buffer.alloc(0);
      }
    },
    write: (bytes) => void writeSync(fd, typeof bytes === "string" ? Buffer.from(bytes) : bytes),
    close: () => closeSync(fd),
  };
}

test("of a burst the first frame and the newest go out, and nothing else", () =>
  withCable(async (cable, started) => {
    const far = openRaw(cable.b);
    const ours = make({ device: cable.a, baud: 9600 });
    started.push(ours);
    await ours.start(() => undefined);
    try {
      for (let fill = 1; fill <= 50; fill += 1) ours.send(beat(fill));
      let line = Buffer.alloc(0);
      await until("both frames", () => {
        line = Buffer.concat([line, far.read()]);
        return line.length >= 2 * 104;
      });
      assert.equal(line.length, 2 * 104);
      assert.equal(line[20], 1);
      assert.equal(line[104 + 20], 50);
    } finally {
      far.close();
    }
  }));

test("the second frame waits until the first has left the line", () =>
  withCable(async (cable, started) => {
    const far = openRaw(cable.b);
    const ours = make({ device: cable.a, baud: 1200 });
    started.push(ours);
    await ours.start(() => undefined);
    try {
      const beganMs = performance.now();
      ours.send(beat(1));
      ours.send(beat(2));
      let got = 0;
      await until("both frames", () => {
        got += far.read().length;
        return got >= 2 * 104;
      });
      // Never sooner than 104 bytes of 10 bits take at 1200 baud; how much later is the machine's affair.
      assert.ok(performance.now() - beganMs >= 866);
    } finally {
      far.close();
    }
  }));

test("a device that is not there is said once, start settles, and it comes up when it is plugged in", () =>
  withCable(async (cable, started) => {
    await cable.pull();
    const log = recordingLog();
    const ours = make({ device: cable.a }, testNode(), log);
    started.push(ours);
    await ours.start(() => undefined);
    ours.send(beat());
    assert.equal(ours.describe(), `${cable.a} at 115200 baud: down, it is not there (yet)`);
    await cable.plug();
    await until("the line to come up", () => !ours.describe().includes("down"));
    assert.equal(log.lines.filter(({ message }) => message === "serial line is in trouble").length, 1);
    assert.equal(log.lines.filter(({ message }) => message === "serial line is open and well").length, 1);
  }));

test("an adapter that is unplugged hangs up, and frames travel again after it is back", () =>
  withCable(async (cable, started) => {
    const heard: number[] = [];
    const ours = make({ device: cable.a });
    const theirs = make({ device: cable.b }, otherNode(testNode()));
    started.push(ours, theirs);
    await Promise.all([ours.start(() => undefined), theirs.start(([first]) => heard.push(first ?? 0))]);
    for (let round = 1; round <= 3; round += 1) {
      await until("a frame", () => heard.includes(round), { again: () => ours.send(beat(round)) });
      await cable.pull();
      await until(
        "the hangup",
        () => ours.describe().includes("down") && theirs.describe().includes("down"),
        {
          again: () => ours.send(beat(100)),
        },
      );
      await cable.plug();
    }
    await until("a frame", () => heard.includes(9), { again: () => ours.send(beat(9)) });
  }));

test("another baud rate on the other side is named, and forgotten when frames arrive", () =>
  withCable(async (cable, started) => {
    const far = openRaw(cable.b);
    const log = recordingLog();
    const ours = make({ device: cable.a }, testNode(), log);
    started.push(ours);
    await ours.start(() => undefined);
    // What a receiver makes of bits sampled at the wrong time: any bytes at all.
    const garble = Uint8Array.from({ length: 64 }, (_, index) => (index * 89 + 13) & 0xff);
    await until("the trouble", () => ours.describe().includes("no frame"), {
      again: () => far.write(garble),
    });
    assert.match(ours.describe(), /: bytes arrive but no frame: is the baud rate the same on both sides\?$/);
    await until("the log", () =>
      log.lines.some(({ level, fields }) => level === "warn" && String(fields.reason).includes("baud rate")),
    );
    far.close();
    const theirs = make({ device: cable.b }, otherNode(testNode()));
    started.push(theirs);
    await theirs.start(() => undefined);
    await until("the line to be well", () => !ours.describe().includes("no frame"), {
      again: () => theirs.send(beat()),
    });
    assert.match(ours.describe(), /115200 baud(, \d+ damaged frames?)?$/);
  }));

test("text is told apart from a wrong baud rate", () =>
  withCable(async (cable, started) => {
    const far = openRaw(cable.b);
    const ours = make({ device: cable.a });
    started.push(ours);
    await ours.start(() => undefined);
    try {
      await until("the trouble", () => ours.describe().includes("getty"), {
        again: () => far.write("\r\n\r\nDebian GNU/Linux 13 two ttyS0\r\n\r\ntwo login: "),
      });
      assert.match(ours.describe(), /text arrives and no frame: is there a login prompt/);
    } finally {
      far.close();
    }
  }));

test("own frames that come back are named and never delivered", () =>
  withCable(async (cable, started) => {
    const far = openRaw(cable.b);
    const ours = make({ device: cable.a });
    started.push(ours);
    let delivered = 0;
    await ours.start(() => {
      delivered += 1;
    });
    try {
      await until(
        "the trouble",
        () => ours.describe().includes("its own frames come back: a loopback plug"),
        {
          again() {
            ours.send(beat());
            far.write(far.read());
          },
        },
      );
      assert.equal(delivered, 0);
    } finally {
      far.close();
    }
  }));

test("a silent line is said to be silent", { timeout: 30_000 }, () =>
  withCable(async (cable, started) => {
    const ours = make({ device: cable.a });
    started.push(ours);
    await ours.start(() => undefined);
    assert.equal(ours.describe(), `${cable.a} at 115200 baud`);
    await until("the silence to be said", () => /nothing has arrived for \d+ s/.test(ours.describe()));
  }),
);

test("two on one device: the second is told, and takes over when the first has gone", () =>
  withCable(async (cable, started) => {
    const first = make({ device: cable.a });
    const second = make({ device: cable.a });
    started.push(first, second);
    await first.start(() => undefined);
    await second.start(() => undefined);
    assert.match(second.describe(), /down, another program has locked it$/);
    await first.stop();
    await until("the second to have it", () => !second.describe().includes("down"));
  }));

test("settings that another program changes are named and set again", () =>
  withCable(async (cable, started) => {
    const ours = make({ device: cable.a, baud: 19_200 });
    started.push(ours);
    await ours.start(() => undefined);
    // As a login prompt does: settings of its own, through the same device.
    const ioctl = koffi.load(null).func("int ioctl(int fd, unsigned long request, void *argument)");
    const settings = Buffer.alloc(44);
    const intruder = openSync(cable.a, constants.O_RDWR | constants.O_NOCTTY | constants.O_NONBLOCK);
    try {
      ioctl(intruder, 0x802c542a, settings);
      const ourSettings = Buffer.from(settings);
      settings.writeUInt32LE(0o1 | 0o2 | 0o10, 12);
      assert.equal(ioctl(intruder, 0x402c542b, settings), 0);
      await until("it to be said", () => ours.describe().includes("another program changes its settings"));
      await until("ours to be in force", () => {
        ioctl(intruder, 0x802c542a, settings);
        return settings.equals(ourSettings);
      });
    } finally {
      closeSync(intruder);
    }
  }));

test("what is no serial line is said to be none", async () => {
  const folder = mkdtempSync(join(tmpdir(), "understudy-serial-"));
  const file = join(folder, "file");
  writeFileSync(file, "");
  try {
    for (const [device, why] of [
      ["/dev/null", /down, it is no serial line$/],
      [file, /down, it is no serial line$/],
      [folder, /down, it cannot be opened: EISDIR$/],
    ] as const) {
      const ours = make({ device });
      await ours.start(() => undefined);
      assert.match(ours.describe(), why);
      await ours.stop();
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("each side reads its own device from the one file", async () => {
  const device = { primary: "/nowhere/one", secondary: "/nowhere/two" };
  assert.match(make({ device }).describe(), /^\/nowhere\/one at/);
  assert.match(make({ device }, otherNode(testNode())).describe(), /^\/nowhere\/two at/);
});

test("the shortest interval follows from the baud rate, and a longer one may be asked for", () => {
  const interval = (options: object) =>
    serial.beatIntervalMs(serial.config.parse({ device: "/dev/ttyS0", ...options }));
  assert.equal(interval({}), 12);
  assert.equal(interval({ baud: 9600 }), 136);
  assert.equal(interval({ baud: 19_200 }), 68);
  assert.equal(interval({ baud: 115_200, interval: "100 ms" }), 100);
});

for (const [what, options, message] of [
  ["no device", { baud: 9600 }, /device/],
  ["a device that is no path", { device: "ttyS0" }, /must be the whole path of a serial device/],
  ["one side only", { device: { primary: "/dev/ttyS0" } }, /secondary/],
  ["an odd baud rate", { device: "/dev/ttyS0", baud: 9601 }, /must be one of 50, 75/],
  [
    "an interval that the line cannot carry",
    { device: "/dev/ttyS0", baud: 9600, interval: "20ms" },
    /a beat is 104 bytes, 108 ms at 9600 baud; 136 ms or more fits, or baud: 115200/,
  ],
  [
    "an interval that no line carries",
    { device: "/dev/ttyS0", baud: 4_000_000, interval: 0 },
    /must be from 1 ms to 1 min/,
  ],
  ["a misspelt option", { device: "/dev/ttyS0", bauds: 9600 }, /bauds/],
] as const) {
  test(`${what} is refused by the schema`, () => {
    assert.throws(() => make(options), message);
  });
}
