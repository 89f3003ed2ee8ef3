/**
 * The hardware watchdog against a named pipe, which records what is written and when. What no test here can show, because
 * no device is at hand: the driver's ioctl, and the reset.
 */

import assert from "node:assert/strict";
import {
  closeSync,
  constants,
  mkdirSync,
  mkdtempSync,
  openSync,
  rmSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, test } from "node:test";
import { checkWatchdog } from "../src/doctor/watchdog.js";
import { openWatchdog, type Watchdog } from "../src/pulse/watchdog.js";
import { whatDriverTells } from "../src/pulse/watchdog-driver.js";
import { type Fifo, makeFifo } from "./fifo.js";
import { quietLog, until } from "./node-kit.js";
import { makeWire, startTestPulse } from "./pulse-kit.js";

const folders: string[] = [];
const fifos: Fifo[] = [];
afterEach(() => {
  for (const fifo of fifos.splice(0)) fifo.close();
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

function scratch(): string {
  const folder = mkdtempSync(join(tmpdir(), "usw-"));
  folders.push(folder);
  return folder;
}

function fifo(): Fifo {
  const made = makeFifo(join(scratch(), "watchdog"));
  fifos.push(made);
  return made;
}

interface Opened {
  readonly watchdog: Watchdog;
  readonly said: string[];
}

async function open(device: string, timeoutMs = 10_000): Promise<Opened> {
  const said: string[] = [];
  const changed = (detail: string) => void said.push(detail);
  return { watchdog: await openWatchdog({ device, timeoutMs }, { log: quietLog, changed }), said };
}

test("it is fed once a second while pulse judges, whatever the role, and not once more", async () => {
  const device = fifo();
  const { watchdog } = await open(device.path);
  assert.equal(device.read(), "", "opening alone feeds nothing");
  for (let atMs = 0; atMs < 5000; atMs += 20) watchdog.judged(atMs, atMs < 2500 ? "standby" : "active", 0);
  assert.equal(device.read(), "\0".repeat(5));
  assert.equal(device.read(), "", "nothing feeds it but a judged pass");
  watchdog.abandon();
});

test("a short timeout is fed four times within it", async () => {
  const device = fifo();
  const { watchdog } = await open(device.path, 2000);
  for (let atMs = 0; atMs < 2000; atMs += 20) watchdog.judged(atMs, "standby", 0);
  assert.equal(device.read().length, 4);
  watchdog.abandon();
});

test("an orderly end says the magic word last, and a crash says nothing", async () => {
  for (const [end, word] of [
    ["disarm", "V"],
    ["abandon", ""],
  ] as const) {
    const device = fifo();
    const { watchdog } = await open(device.path);
    watchdog.judged(0, "standby", 0);
    watchdog[end]();
    watchdog[end]();
    watchdog.judged(5000, "standby", 0);
    watchdog.disarm();
    assert.equal(device.read(), `\0${word}`);
    assert.equal(watchdog.protection().inForce, false);
  }
});

test("G1: an address that cannot be given up for the whole timeout is left to the reset", async () => {
  const device = fifo();
  const { watchdog, said } = await open(device.path);
  watchdog.judged(20_000, "releasing", 11_000);
  assert.equal(device.read(), "\0");
  watchdog.judged(21_001, "releasing", 11_000);
  watchdog.judged(22_002, "releasing", 11_000);
  assert.equal(device.read(), "");
  assert.equal(said.length, 1);
  assert.match(watchdog.protection().detail, /cannot be given up: the machine is about to be reset/);
  // It was given up in time after all.
  watchdog.judged(23_000, "standby", 22_900);
  assert.equal(device.read(), "\0");
  assert.equal(watchdog.protection().inForce, true);
  watchdog.abandon();
});

test("what is wrong with the device is said by name, and never thrown", async () => {
  const missing = await open(join(scratch(), "watchdog"));
  assert.match(missing.watchdog.protection().detail, /there is no .*no driver is loaded/);
  assert.equal(missing.watchdog.protection().inForce, false);
  missing.watchdog.judged(0, "active", 0);
  missing.watchdog.disarm();

  const unread = makeFifo(join(scratch(), "watchdog"));
  unread.close();
  assert.match((await open(unread.path)).watchdog.protection().detail, /cannot be opened: ENXIO/);
});

test("a device that takes no write is said once, and again when it does", async () => {
  const device = fifo();
  const { watchdog, said } = await open(device.path);
  const other = openSync(device.path, constants.O_WRONLY | constants.O_NONBLOCK);
  const lump = Buffer.alloc(4096, 1);
  assert.throws(() => {
    for (;;) writeSync(other, lump);
  }, /EAGAIN/);
  closeSync(other);
  for (let atMs = 0; atMs < 5000; atMs += 20) watchdog.judged(atMs, "active", 0);
  assert.deepEqual(said, ["the hardware watchdog: writing failed: EAGAIN"]);
  assert.equal(watchdog.protection().inForce, false);
  while (device.read() !== "");
  watchdog.judged(6000, "active", 0);
  assert.equal(said.at(-1), "the hardware watchdog is fed again");
  assert.equal(device.read(), "\0");
  watchdog.abandon();
});

test("a device without ioctl keeps its own time, and that is said", async () => {
  const file = join(scratch(), "watchdog");
  writeFileSync(file, "");
  const { watchdog } = await open(file);
  const { inForce, detail } = watchdog.protection();
  assert.equal(inForce, true);
  assert.match(detail, /resets the machine after the driver's own time .*10 s could not be set/);
  watchdog.disarm();
});

test("R4: a real pulse feeds it from its loop, shows it, and disarms it after the address is gone", async () => {
  const device = fifo();
  const folder = scratch();
  const { pulse, address } = await startTestPulse({
    side: "primary",
    folder,
    wire: makeWire(),
    openWatchdog: (changed) =>
      openWatchdog({ device: device.path, timeoutMs: 2000 }, { log: quietLog, changed }),
  });
  let written = "";
  await until(() => {
    written += device.read();
    return written.length >= 3;
  }, "three feedings");
  assert.match(written, /^\0+$/);
  const shown = pulse.status().protections.find(({ name }) => name === "hardware-watchdog");
  assert.equal(shown?.inForce, true);
  pulse.stop();
  await pulse.ended;
  assert.match(device.read(), /^\0*V$/);
  assert.equal(address.held, false);
});

test("R4: a pulse that ends unasked leaves it running", async () => {
  const device = fifo();
  const { pulse } = await startTestPulse({
    side: "primary",
    folder: scratch(),
    wire: makeWire(),
    openWatchdog: (changed) =>
      openWatchdog({ device: device.path, timeoutMs: 2000 }, { log: quietLog, changed }),
  });
  await until(() => device.read() !== "", "a feeding");
  await pulse.abandon();
  assert.match(device.read(), /^\0*$/);
});

test("what the driver says is read without opening the device", () => {
  const folder = scratch();
  mkdirSync(join(folder, "watchdog0"));
  for (const [what, value] of Object.entries({ identity: "i6300ESB timer", nowayout: "1", timeout: "30" }))
    writeFileSync(join(folder, "watchdog0", what), `${value}\n`);
  const facts = { identity: "i6300ESB timer", nowayout: true, timeoutSeconds: 30 };
  assert.deepEqual(whatDriverTells("/dev/watchdog", folder), facts);
  assert.deepEqual(whatDriverTells("/dev/watchdog0", folder), facts);
  assert.deepEqual(whatDriverTells("/dev/watchdog1", folder), {
    identity: undefined,
    nowayout: false,
    timeoutSeconds: undefined,
  });
});

test("doctor says whether the device is there, and opens nothing", () => {
  assert.deepEqual(checkWatchdog({ watchdog: undefined }), []);
  const missing = checkWatchdog({ watchdog: { device: join(scratch(), "none"), timeoutMs: 10_000 } });
  assert.deepEqual(
    missing.map(({ level }) => level),
    ["fail"],
  );
  // A pipe that nobody reads: opening it would be an error here, and the start of the timer on a real device.
  const device = makeFifo(join(scratch(), "watchdog"));
  device.close();
  const [found] = checkWatchdog({ watchdog: { device: device.path, timeoutMs: 10_000 } });
  assert.equal(found?.level, "ok");
});
