/**
 * The guard of rule R4, for a system whose kernel knows no lease: a shell in a session of its own that takes the HA
 * addresses off when the pipe from this process ends, and also when this process, hung or stopped, gives no sign of life.
 */

import { spawn } from "node:child_process";
import { type PlacedAddress, withdrawScript } from "./commands.js";

export interface Guard {
  readonly alive: boolean;
  /** Settles when it understands signs of life, or has ended before, or is long in coming. */
  readonly ready: Promise<void>;
  /** A sign of life. Synchronous: one system call. */
  feed(): void;
  /** Closes the pipe: the guard withdraws and ends. Settles when it has ended. */
  stop(): Promise<void>;
}

/** The guard looks once a second and acts when two looks in a row found no sign: 2 s after the last one at the earliest. */
export const guardPatienceMs = 2000;

/**
 * A shell cannot read a pipe with a time limit (POSIX `read` has none), and runs a trap only between commands, so the
 * work is divided: one process waits for the end of the pipe, the other counts signals between sleeps of a second.
 */
function script(command: string, addresses: readonly PlacedAddress[]): string {
  return `trap '' TERM INT HUP
${withdrawScript(command, addresses)}
exec 3<&0
( exec >/dev/null; cat <&3; withdraw; kill -KILL $$ ) &
exec 3<&- </dev/null
heard=1 silent=0
trap 'heard=1' USR1
echo ready
exec >/dev/null
while :; do
  sleep 1
  if [ "$heard" = 1 ]; then silent=0; else silent=$((silent + 1)); fi
  heard=0
  [ "$silent" != 2 ] || withdraw
done`;
}

const readyWithinMs = 2000;

export function startGuard(
  command: string,
  addresses: readonly PlacedAddress[],
  onDeath: (why: string) => void,
): Guard {
  const child = spawn("/bin/sh", ["-c", script(command, addresses)], {
    stdio: ["pipe", "pipe", "ignore"],
    detached: true,
    env: { ...process.env, LC_ALL: "C" },
  });
  const ready = Promise.withResolvers<void>();
  const late = setTimeout(() => ready.resolve(), readyWithinMs);
  const ended = Promise.withResolvers<void>();
  let understands = false;
  let alive = true;
  let wanted = true;
  const die = (why: string) => {
    if (!alive) return;
    alive = false;
    clearTimeout(late);
    ready.resolve();
    ended.resolve();
    if (wanted) onDeath(why);
  };
  child.once("error", (error) => die(error.message));
  child.once("exit", (code, signal) => die(`it ended with ${signal ?? code}`));
  child.stdin?.on("error", () => {});
  child.stdout?.once("data", () => {
    understands = true;
    clearTimeout(late);
    ready.resolve();
  });
  child.unref();
  for (const stream of [child.stdin, child.stdout]) (stream as { unref?: () => void } | null)?.unref?.();
  return {
    get alive() {
      return alive;
    },
    ready: ready.promise,
    feed() {
      // Before it has set its trap the signal would end it.
      if (alive && understands) child.kill("SIGUSR1");
    },
    stop() {
      wanted = false;
      child.ref();
      child.stdin?.end();
      return ended.promise;
    },
  };
}
