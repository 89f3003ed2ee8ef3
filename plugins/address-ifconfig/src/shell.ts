/**
 * A shell that was started once and runs one command at a time, so that nothing is spawned by this process while the pair
 * decides. Each command is framed by words that no program can know, on both of its outputs, with its exit status.
 */

import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import type { Readable } from "node:stream";
import { splitLines } from "./line-splitter.js";

export interface Answer {
  readonly status: number;
  readonly output: readonly string[];
  readonly errors: readonly string[];
}

/** `undefined`: no answer in time, or the shell died: nobody knows what became of the command. */
export type Reply = Answer | undefined;

export interface Shell {
  readonly alive: boolean;
  /** Commands run in the order they are given; the time counts from the moment one is begun. */
  run(command: string, withinMs?: number): Promise<Reply>;
  /** Ends it when what was given has been run. */
  stop(): void;
}

const defaultDeadlineMs = 800;

/**
 * The outer shell ignores what is sent to the whole service (the address must be given up in order first) and starts the
 * inner one again. SIGUSR1 to the group ends the inner one and the command that hangs in it, and so costs this process
 * no more than a system call.
 */
const keeper = "trap '' TERM INT HUP; trap : USR1; while :; do /bin/sh; [ $? -gt 128 ] || exit; done";

interface Running {
  readonly begin: string;
  readonly end: string;
  readonly output: Collected;
  readonly errors: Collected;
  readonly settle: (reply: Reply) => void;
}

interface Collected {
  lines: string[];
  begun: boolean;
  status: number | undefined;
}

const collected = (): Collected => ({ lines: [], begun: false, status: undefined });

export function startShell(onDeath: (why: string) => void): Shell {
  const secret = randomBytes(8).toString("hex");
  const child = spawn("/bin/sh", ["-c", keeper], {
    stdio: ["pipe", "pipe", "pipe"],
    detached: true,
    env: { ...process.env, LC_ALL: "C" },
  });
  let alive = true;
  let count = 0;
  let running: Running | undefined;
  let queue: Promise<unknown> = Promise.resolve();

  const die = (why: string) => {
    if (!alive) return;
    alive = false;
    running?.settle(undefined);
    onDeath(why);
  };
  const take = (which: "output" | "errors") => (line: string) => {
    if (running === undefined) return;
    const into = running[which];
    if (line === running.begin) into.begun = true;
    else if (into.begun && line.startsWith(running.end)) into.status = Number(line.slice(running.end.length));
    else if (into.begun && into.status === undefined) into.lines.push(line);
    const { output, errors } = running;
    if (output.status === undefined || errors.status === undefined) return;
    // What is printed before the end of its line would hide the mark: an empty line goes before it, and is taken off.
    const lines = ({ lines: all }: Collected) => (all.at(-1) === "" ? all.slice(0, -1) : all);
    running.settle({ status: output.status, output: lines(output), errors: lines(errors) });
  };
  listen(child, take, die);

  function runOne(command: string, withinMs: number): Promise<Reply> {
    if (!alive) return Promise.resolve(undefined);
    count += 1;
    const begin = `${secret}-${count}-begin`;
    const end = `${secret}-${count}-end `;
    return new Promise<Reply>((resolve) => {
      const settle = (reply: Reply) => {
        clearTimeout(timer);
        running = undefined;
        resolve(reply);
      };
      const timer = setTimeout(() => {
        settle(undefined);
        interrupt(child);
      }, withinMs);
      running = { begin, end, output: collected(), errors: collected(), settle };
      child.stdin?.write(
        `echo ${begin}; echo ${begin} >&2; { ${command}\n} </dev/null; s=$?; ` +
          `printf '\\n%s%s\\n' '${end}' "$s"; printf '\\n%s%s\\n' '${end}' "$s" >&2\n`,
      );
    });
  }

  return {
    get alive() {
      return alive;
    },
    run(command, withinMs = defaultDeadlineMs) {
      const result = queue.then(() => runOne(command, withinMs));
      queue = result;
      return result;
    },
    stop() {
      void queue.then(() => {
        alive = false;
        child.stdin?.end();
      });
    },
  };
}

function interrupt(child: ChildProcess): void {
  try {
    if (child.pid !== undefined) process.kill(-child.pid, "SIGUSR1");
  } catch {
    // It has just ended, which its own event tells.
  }
}

function listen(
  child: ChildProcess,
  take: (which: "output" | "errors") => (line: string) => void,
  die: (why: string) => void,
): void {
  child.once("error", (error) => die(error.message));
  child.once("exit", (code, signal) => die(`it ended with ${signal ?? code}`));
  // A write after its end is told by `exit` as well.
  child.stdin?.on("error", () => {});
  child.stdout?.on("data", splitLines(take("output")));
  child.stderr?.on("data", splitLines(take("errors")));
  child.unref();
  for (const stream of [child.stdin, child.stdout, child.stderr])
    (stream as (Readable & { unref?: () => void }) | null)?.unref?.();
}
