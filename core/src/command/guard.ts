/**
 * A shell that does the last thing for a process that has gone, however it went (rule R4): it waits at the end of a pipe, in
 * a session of its own, and runs already, so that nothing has to be started when it matters.
 */

import { spawn } from "node:child_process";
import { endLateGuards, guardWords } from "./late-guards.js";

export interface GuardOptions {
  /** The same at every start, and no other guard's on this machine: by it one that a killed process left is known. */
  readonly name: string;
  /**
   * For /bin/sh. Prints a line when it can be relied on, and nothing more: `echo ready; exec >/dev/null`. When its standard
   * input ends, the process has gone. It ignores SIGTERM, SIGINT and SIGHUP, which a whole unit is sent when it stops.
   */
  readonly script: string;
  /** Added to this process's own environment. */
  readonly environment?: Readonly<Record<string, string>>;
  /** It ended, and not by `stop`. Nothing takes its place. */
  readonly onDeath: (why: string) => void;
}

export interface Guard {
  readonly alive: boolean;
  /**
   * Settles when it has printed its line, has ended before, or is long in coming, and when no guard of a killed process
   * with this name runs any more: a late one would take away what this process holds by then.
   */
  readonly ready: Promise<void>;
  /** Synchronous: one system call. Nothing before its line, when it could not know the signal yet. */
  signal(name: NodeJS.Signals): void;
  /** Closes the pipe: it does its work and ends. Settles when it has ended. */
  stop(): Promise<void>;
}

const readyWithinMs = 2000;

/** Spawns, so it is for `start`. */
export function startGuard({ name, script, environment, onDeath }: GuardOptions): Guard {
  // The script comes last: a system may show no more of a process than the beginning of its words.
  const words = ["-c", 'eval "$2"', ...guardWords(name), `trap '' TERM INT HUP\n${script}`];
  const child = spawn("/bin/sh", words, {
    stdio: ["pipe", "pipe", "ignore"],
    detached: true,
    env: { ...process.env, ...environment },
  });
  const spoken = Promise.withResolvers<void>();
  const late = setTimeout(() => spoken.resolve(), readyWithinMs);
  const ended = Promise.withResolvers<void>();
  let understands = false;
  let alive = true;
  let wanted = true;
  const die = (why: string) => {
    if (!alive) return;
    alive = false;
    clearTimeout(late);
    spoken.resolve();
    ended.resolve();
    if (wanted) onDeath(why);
  };
  child.once("error", (error) => die(error.message));
  child.once("exit", (code, signal) => die(`it ended with ${signal ?? code}`));
  // A write after its end is told by `exit` as well.
  child.stdin?.on("error", () => {});
  child.stdout?.once("data", () => {
    understands = true;
    clearTimeout(late);
    spoken.resolve();
  });
  child.unref();
  for (const stream of [child.stdin, child.stdout]) (stream as { unref?: () => void } | null)?.unref?.();
  return {
    get alive() {
      return alive;
    },
    ready: Promise.all([spoken.promise, endLateGuards(name)]).then(() => {}),
    signal(signal) {
      if (alive && understands) child.kill(signal);
    },
    stop() {
      wanted = false;
      child.ref();
      child.stdin?.end();
      return ended.promise;
    },
  };
}
