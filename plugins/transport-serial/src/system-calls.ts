/**
 * The system calls of a serial line that Node does not have, through koffi, which pulse has loaded anyway for its
 * scheduling. Where it is missing there are none, and the path says so.
 */

import { getSystemErrorName } from "node:util";

/** Numbers of Linux's asm-generic/ioctls.h; the processors named here use them. */
const TCGETS2 = 0x802c542a;
const TCSETS2 = 0x402c542b;
const TCFLSH = 0x540b;
const TIOCEXCL = 0x540c;
const TIOCOUTQ = 0x5411;
const TCIOFLUSH = 2;
const LOCK_EX = 2;
const LOCK_NB = 4;
const processors: readonly string[] = ["x64", "arm64", "arm", "riscv64", "loong64"];

/** Synchronous calls give 0, or the error's name as in errno(3). */
export interface SystemCalls {
  settings(fd: number, into: Buffer): string | 0;
  /** Whether it was done. In a thread: the driver of a USB adapter asks the adapter and waits for its answer. */
  useSettings(fd: number, settings: Buffer): Promise<boolean>;
  /** Discards what has come and what is unsent; whether it was done. In a thread, for the same reason. */
  discard(fd: number): Promise<boolean>;
  /** flock(2): other programs that lock serial lines do it like this too. */
  lock(fd: number): string | 0;
  /** Programs without root's rights cannot open the line any more. */
  exclude(fd: number): string | 0;
  /** Bytes that the driver holds and has not sent; 0 where it does not say. */
  unsentBytes(fd: number): number;
}

let loaded: SystemCalls | undefined;

/** The calls, or why there are none. */
export async function systemCalls(): Promise<SystemCalls | string> {
  if (process.platform !== "linux")
    return `serial lines are built for Linux, and this is ${process.platform}`;
  if (!processors.includes(process.arch)) return `serial lines are not built for ${process.arch}`;
  try {
    loaded ??= await load();
    return loaded;
  } catch (error) {
    return `the system's library cannot be called: ${firstLine((error as Error).message)}`;
  }
}

function firstLine(text: string): string {
  return text.split("\n", 1)[0]?.slice(0, 80) ?? "";
}

async function load(): Promise<SystemCalls> {
  const { default: koffi } = await import("koffi");
  const libc = koffi.load(null);
  const withPointer = libc.func("int ioctl(int fd, unsigned long request, void *argument)");
  const withNumber = libc.func("ioctl", "int", ["int", "ulong", "long"]);
  const flock = libc.func("int flock(int fd, int operation)");
  const outcome = (result: unknown): string | 0 =>
    Number(result) === -1 ? getSystemErrorName(-koffi.errno()) : 0;
  const count = Buffer.alloc(4);
  return {
    settings: (fd, into) => outcome(withPointer(fd, TCGETS2, into)),
    useSettings: (fd, settings) =>
      inThread((done) => withPointer.async(fd, TCSETS2, Buffer.from(settings), done)),
    discard: (fd) => inThread((done) => withNumber.async(fd, TCFLSH, TCIOFLUSH, done)),
    lock: (fd) => outcome(flock(fd, LOCK_EX | LOCK_NB)),
    exclude: (fd) => outcome(withNumber(fd, TIOCEXCL, 0)),
    unsentBytes: (fd) => (outcome(withPointer(fd, TIOCOUTQ, count)) === 0 ? count.readInt32LE() : 0),
  };
}

function inThread(call: (done: (error: unknown, result: unknown) => void) => void): Promise<boolean> {
  return new Promise((resolve) => {
    call((error, result) => resolve((error === null || error === undefined) && Number(result) === 0));
  });
}
