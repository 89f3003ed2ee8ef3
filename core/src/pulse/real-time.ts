/**
 * Puts pulse before everything else on the machine: real-time scheduling for all its threads, code that is not paged out,
 * and the last place on the kernel's list of processes to kill. What is not allowed is said, never fatal.
 */

import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import type { Protection } from "../plugin/contract.js";

/** DESIGN, two processes: above every ordinary process, below the kernel's own threads at 99. */
const priority = 50;
/**
 * Of what pulse starts: ip, nft and the guard must run when pulse has died, and never keep pulse itself waiting. FIFO does
 * not preempt its equals, and pulses were seen to wait 14 to 19 ms for the start of one nft.
 */
const childrenPriority = priority - 1;
const scheduleFifo = 1;
/** MLOCK_ONFAULT: what is used stays, what never was is not loaded for it. */
const lockUsedPages = 1;

interface Libc {
  /** Zero, or the error number. */
  schedule(thread: number, atPriority: number): number;
  lock(address: number, bytes: number): number;
}

export interface RealTime {
  readonly protection: Protection;
  /** Once all children are started. What they inherited stays below. */
  riseAboveChildren(): void;
}

/** Children started afterwards inherit all of it, see `riseAboveChildren`. */
export async function becomeRealTime(): Promise<RealTime> {
  if (process.platform !== "linux") return refusal(`not built for ${process.platform}`);
  const refused: string[] = [];
  try {
    const libc = await loadLibc();
    const errno = scheduleAllThreads(libc, childrenPriority);
    if (errno !== 0) refused.push(`scheduling: ${reasonOf(errno, "CAP_SYS_NICE or an rtprio limit")}`);
    const locked = lockCode(libc);
    if (locked !== 0) refused.push(`locked code: ${reasonOf(locked, "CAP_IPC_LOCK or a memlock limit")}`);
    const scored = scoreAgainstOomKiller();
    if (scored !== undefined) refused.push(`out-of-memory score: ${scored}`);
    if (errno !== 0) return refusal(`not allowed here: ${refused.join("; ")}`);
    const what = `SCHED_FIFO ${priority} for all threads, ${childrenPriority} for what pulse starts`;
    const detail = refused.length === 0 ? what : `${what}; not allowed here: ${refused.join("; ")}`;
    return {
      protection: { name: "real-time", inForce: true, detail },
      // Allowed with a limit of one less only: then it stays what it is, real time as well.
      riseAboveChildren: () => void scheduleAllThreads(libc, priority),
    };
  } catch (error) {
    return refusal(`the system's library cannot be called: ${(error as Error).message}`);
  }
}

function refusal(detail: string): RealTime {
  return { protection: { name: "real-time", inForce: false, detail }, riseAboveChildren: () => {} };
}

/** Threads made later inherit it from the one that makes them. */
function scheduleAllThreads(libc: Libc, atPriority: number): number {
  let worst = 0;
  for (const thread of readdirSync("/proc/self/task")) {
    const errno = libc.schedule(Number(thread), atPriority);
    // A thread may have ended since the folder was read.
    if (errno !== 0 && errno !== noSuchProcess) worst = errno;
  }
  return worst;
}

const noSuchProcess = 3;

/**
 * Under memory pressure the kernel drops code pages first, swap or not, and reading them again takes a disk. Not mlockall:
 * V8 gives its pages back by a call that the kernel refuses for locked ones, and ends the process over it.
 */
function lockCode(libc: Libc): number {
  for (const line of readFileSync("/proc/self/maps", "utf8").split("\n")) {
    const match = /^([0-9a-f]+)-([0-9a-f]+) r-[-x]p \S+ \S+ \d+ +\//.exec(line);
    if (match?.[1] === undefined || match[2] === undefined) continue;
    const from = Number.parseInt(match[1], 16);
    const errno = libc.lock(from, Number.parseInt(match[2], 16) - from);
    if (errno !== 0) return errno;
  }
  return 0;
}

function scoreAgainstOomKiller(): string | undefined {
  try {
    writeFileSync("/proc/self/oom_score_adj", "-1000");
    return undefined;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? (error as Error).message;
  }
}

function reasonOf(errno: number, needed: string): string {
  if (errno === 1) return `EPERM, needs ${needed}`;
  if (errno === 12) return `ENOMEM, needs ${needed}`;
  return `error ${errno}`;
}

async function loadLibc(): Promise<Libc> {
  const { default: koffi } = await import("koffi");
  const libc = koffi.load(null);
  const setScheduler = libc.func("int sched_setscheduler(int thread, int policy, const int *priority)");
  const lock = libc.func("int mlock2(uintptr_t address, size_t bytes, unsigned int flags)");
  const called = (result: unknown): number => (Number(result) === 0 ? 0 : koffi.errno());
  return {
    // struct sched_param is one int on Linux.
    schedule: (thread, atPriority) => called(setScheduler(thread, scheduleFifo, [atPriority])),
    lock: (address, bytes) => called(lock(address, bytes, lockUsedPages)),
  };
}
