/**
 * Loopback addresses that no other process uses, by process id, and ports on them: a port that is free there stays free
 * until the test takes it, and one that is closed stays closed, whatever runs beside.
 */

const [high, middle, low] = [(process.pid >> 16) & 63, (process.pid >> 8) & 255, process.pid & 255];

/** One for each node of a pair. */
export const ownAddress = {
  primary: `127.${64 + high}.${middle}.${low}`,
  secondary: `127.${128 + high}.${middle}.${low}`,
} as const;

// Below the ports that the kernel gives away, which others may hold on every address.
let lastPort = 10_000;

/** A port that was not given out before in this process, nor the nine after it. */
export function ownPort(): number {
  lastPort += 10;
  return lastPort;
}
