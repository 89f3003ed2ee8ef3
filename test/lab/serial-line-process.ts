/**
 * A serial line as a process of its own: two pseudo terminals, and between them every byte takes as long as ten bits take
 * at the baud rate, one byte after the other in each direction, never sooner.
 *
 * Usage: serial-line-process.js BAUD. Writes the names of the two devices as one line of JSON. Reads `cut` (answered when
 * it is done), `mend` and `lateness` (answered by a line of JSON) from standard input, and ends with it.
 */

import { closeSync, constants, openSync, writeSync } from "node:fs";
import { createInterface } from "node:readline";
import { ReadStream } from "node:tty";
import koffi from "koffi";

const baud = Number(process.argv[2]);
const byteMs = 10_000 / baud;

const ioctl = koffi.load(null).func("int ioctl(int fd, unsigned long request, void *argument)");
/** Linux, asm-generic/ioctls.h. */
const TIOCGPTN = 0x80045430;
const TIOCSPTLCK = 0x40045431;
const TCSETS2 = 0x402c542b;
/** CS8, CREAD, CLOCAL, and a speed of its own that a pseudo terminal only remembers: nothing is echoed or changed. */
const rawFlags = 0o60 | 0o200 | 0o4000 | 0o10000;
const flags = constants.O_RDWR | constants.O_NOCTTY | constants.O_NONBLOCK;

function call(fd: number, request: number, argument: Buffer): void {
  if (Number(ioctl(fd, request, argument)) !== 0)
    throw new Error(`ioctl ${request.toString(16)} was refused`);
}

interface End {
  readonly fd: number;
  readonly device: string;
}

function openEnd(): End {
  const fd = openSync("/dev/ptmx", flags);
  const word = Buffer.alloc(4);
  call(fd, TIOCSPTLCK, word);
  call(fd, TIOCGPTN, word);
  const device = `/dev/pts/${word.readUInt32LE()}`;
  // Stays open: while nobody else has the device, the line is there all the same.
  const slave = openSync(device, flags);
  const settings = Buffer.alloc(44);
  settings.writeUInt32LE(rawFlags, 8);
  settings[23] = 1;
  settings.writeUInt32LE(baud, 36);
  settings.writeUInt32LE(baud, 40);
  call(slave, TCSETS2, settings);
  process.once("exit", () => closeSync(slave));
  return { fd, device };
}

let whole = true;
/** How much later than due the last byte of each delivery was, milliseconds; the newest thousand. */
const latenessMs: number[] = [];

interface Piece {
  readonly bytes: Buffer;
  /** When its first byte began to leave. */
  readonly beganMs: number;
  delivered: number;
}

/** One direction: what one end writes arrives at the other. */
function carry(from: End, to: End): void {
  const pieces: Piece[] = [];
  let freeAtMs = 0;
  let timer: NodeJS.Timeout | undefined;
  const deliver = (): void => {
    timer = undefined;
    const nowMs = performance.now();
    for (let piece = pieces[0]; piece !== undefined; piece = pieces[0]) {
      const arrived = Math.min(piece.bytes.length, Math.floor((nowMs - piece.beganMs) / byteMs));
      if (arrived > piece.delivered) hand(to, piece, arrived, nowMs);
      if (arrived < piece.bytes.length) {
        const dueMs = piece.beganMs + (arrived + 1) * byteMs;
        timer = setTimeout(deliver, Math.max(1, Math.ceil(dueMs - nowMs)));
        return;
      }
      pieces.shift();
    }
  };
  const buffer = Buffer.alloc(4096);
  const callback = (length: number): boolean => {
    const beganMs = Math.max(performance.now(), freeAtMs);
    freeAtMs = beganMs + length * byteMs;
    pieces.push({ bytes: Buffer.from(buffer.subarray(0, length)), beganMs, delivered: 0 });
    if (timer === undefined) deliver();
    return true;
  };
  const stream = new ReadStream(from.fd, { onread: { buffer, callback } });
  stream.on("error", (error) => {
    throw error;
  });
  stream.resume();
}

function hand(to: End, piece: Piece, arrived: number, nowMs: number): void {
  const bytes = piece.bytes.subarray(piece.delivered, arrived);
  piece.delivered = arrived;
  latenessMs.push(nowMs - (piece.beganMs + arrived * byteMs));
  if (latenessMs.length > 1000) latenessMs.shift();
  if (!whole) return;
  try {
    writeSync(to.fd, bytes);
  } catch (error) {
    // The receiver reads too slowly: its bytes are lost, as a UART's are.
    if ((error as NodeJS.ErrnoException).code !== "EAGAIN") throw error;
  }
}

const a = openEnd();
const b = openEnd();
carry(a, b);
carry(b, a);
console.log(JSON.stringify({ a: a.device, b: b.device }));

const commands: Readonly<Record<string, () => void>> = {
  cut: () => {
    whole = false;
    console.log("cut");
  },
  mend: () => {
    whole = true;
  },
  lateness: () => console.log(JSON.stringify(latenessMs)),
};
createInterface({ input: process.stdin })
  .on("line", (line) => commands[line]?.())
  .on("close", () => process.exit());
