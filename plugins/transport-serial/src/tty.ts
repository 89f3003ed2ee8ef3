/**
 * Opens a serial device of Linux as a raw line: what may wait for hardware does so in a thread, and what is called with
 * every beat is a system call that happens at once or not at all.
 *
 * Reading is Node's own terminal stream, so a hangup is an event. It opens the device once more and puts that in the
 * place of our descriptor (libuv, uv_tty_init), non-blocking; ours stays open, and its close is the one that may wait.
 */

import { close, constants, fstatSync, open, writeSync } from "node:fs";
import { ReadStream } from "node:tty";
import { promisify } from "node:util";
import type { Port, PortEvents } from "./port.js";
import { outputSpeed, rawSettings, settingsBytes } from "./settings.js";
import { type SystemCalls, systemCalls } from "./system-calls.js";

/** Not the controlling terminal of anybody, and no waiting for the carrier of a modem. */
const flags = constants.O_RDWR | constants.O_NOCTTY | constants.O_NONBLOCK;

/** Rejects never: the port, or why there is none. */
export async function openTty(device: string, baud: number, events: PortEvents): Promise<Port | string> {
  const calls = await systemCalls();
  if (typeof calls === "string") return calls;
  let fd: number;
  try {
    fd = await promisify(open)(device, flags);
  } catch (error) {
    return whyNotOpened(error as NodeJS.ErrnoException);
  }
  const ready = await prepare(calls, fd, baud);
  const port = typeof ready === "string" ? ready : listen(calls, fd, ready, events);
  if (typeof port === "string") await closeInThread(fd);
  return port;
}

/** The settings in force afterwards, or what stands in the way. */
async function prepare(calls: SystemCalls, fd: number, baud: number): Promise<Buffer | string> {
  const settings = Buffer.alloc(settingsBytes);
  const found = calls.settings(fd, settings);
  if (found === "ENOTTY" || found === "EINVAL") return "it is no serial line";
  if (found === "EIO") return "there is no hardware behind it";
  if (found !== 0) return `its settings cannot be read: ${found}`;
  // Before anything is changed: the other program's line would change under it.
  const locked = calls.lock(fd);
  if (locked !== 0)
    return locked === "EAGAIN" ? "another program has locked it" : `it cannot be locked: ${locked}`;
  if (!(await calls.useSettings(fd, rawSettings(baud)))) return "its settings cannot be changed";
  const inForce = calls.settings(fd, settings);
  if (inForce !== 0) return `its settings cannot be read: ${inForce}`;
  const speed = outputSpeed(settings);
  // A receiver tells bits apart while the two clocks differ by less than half a bit in ten: 3 % leaves the peer its share.
  if (Math.abs(speed - baud) > 0.03 * baud) return `it cannot do ${baud} baud and offers ${speed}`;
  await calls.discard(fd);
  return settings;
}

const bytesAtOnce = 4096;

function listen(calls: SystemCalls, fd: number, settings: Buffer, events: PortEvents): Port | string {
  let closed = false;
  const lost = (why: string): void => {
    if (!closed) events.lost(why);
  };
  const buffer = Buffer.alloc(bytesAtOnce);
  const callback = (length: number): boolean => {
    if (!closed) events.arrived(buffer.subarray(0, length));
    return true;
  };
  let stream: ReadStream;
  try {
    stream = new ReadStream(fd, { onread: { buffer, callback } });
  } catch (error) {
    return `it cannot be read: ${(error as NodeJS.ErrnoException).code ?? (error as Error).message}`;
  }
  stream.on("error", (error: NodeJS.ErrnoException) => lost(whyLost(error)));
  stream.on("close", () => lost("it hung up"));
  stream.resume();
  // The lock went with the descriptor that the stream has replaced.
  const locked = calls.lock(fd);
  if (locked !== 0) {
    closed = true;
    stream.destroy();
    return "another program has locked it";
  }
  if (!isPseudoTerminal(fd)) calls.exclude(fd);

  return {
    write(bytes) {
      try {
        return writeSync(fd, bytes);
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException;
        if (code !== "EAGAIN" && code !== "EINTR") lost(whyLost(error as NodeJS.ErrnoException));
        return 0;
      }
    },
    unsentBytes: () => calls.unsentBytes(fd),
    settingsWereChanged() {
      const now = Buffer.alloc(settingsBytes);
      if (closed || calls.settings(fd, now) !== 0 || now.equals(settings)) return false;
      void calls.useSettings(fd, settings);
      return true;
    },
    async close() {
      closed = true;
      stream.destroy();
      // A close waits for what is unsent, up to 30 s by setserial(8), closing_wait.
      await calls.discard(fd);
      await closeInThread(fd);
    },
  };
}

/** Majors 136 to 143 (Linux, admin-guide/devices.txt): these keep the mark of exclusion when its owner is killed. */
function isPseudoTerminal(fd: number): boolean {
  const major = (fstatSync(fd).rdev >> 8) & 0xfff;
  return major >= 136 && major <= 143;
}

function closeInThread(fd: number): Promise<void> {
  return new Promise((resolve) => {
    close(fd, () => resolve());
  });
}

function whyNotOpened(error: NodeJS.ErrnoException): string {
  const code = error.code ?? error.message;
  if (code === "ENOENT") return "it is not there (yet)";
  if (code === "EACCES" || code === "EPERM") return "this user may not open it: the group is often dialout";
  if (code === "EBUSY") return "another program has it to itself";
  if (code === "ENXIO" || code === "ENODEV" || code === "EIO")
    return `there is no hardware behind it: ${code}`;
  return `it cannot be opened: ${code}`;
}

function whyLost(error: NodeJS.ErrnoException): string {
  const code = error.code ?? error.message;
  return code === "EIO" || code === "ENXIO" || code === "ENODEV" ? "it hung up" : `it failed: ${code}`;
}
