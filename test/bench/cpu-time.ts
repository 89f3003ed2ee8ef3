/** Processor time of processes from the outside: on a shared machine it says more than time on the wall. */

import { readFileSync } from "node:fs";

/** The kernel counts in ticks of a hundredth of a second, whatever its own rate is (`man 5 proc`, USER_HZ). */
const tickMs = 10;

/** User and system time of these processes so far, milliseconds; of those that are gone, nothing. */
export function cpuMsOf(pids: readonly (number | undefined)[]): number {
  let ticks = 0;
  for (const pid of pids) {
    try {
      // The name may hold spaces and brackets; what follows its last bracket does not.
      const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").at(-1)?.split(" ") ?? [];
      ticks += Number(fields[11]) + Number(fields[12]);
    } catch {
      // It has ended.
    }
  }
  return ticks * tickMs;
}
