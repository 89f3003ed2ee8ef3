/**
 * A program that was started once and obeys one line at a time, so that nothing is spawned while the pair decides. Each
 * command is followed by a word the program cannot know: its complaint, which names the word, proves that all before
 * it was carried out.
 */

import { type ChildProcess, spawn } from "node:child_process";
import { splitLines } from "./line-splitter.js";

/** `undefined`: no answer in time, or the program died. */
export type Reply = readonly string[] | undefined;

export interface CoProcess {
  /** Sends one command; the reply holds every line it printed, errors among them, without the acknowledgement. */
  run(command: string, withinMs?: number): Promise<Reply>;
  readonly alive: boolean;
  /** Has it started anew, for what it remembers is no longer true. Commands under way may stay unanswered. */
  restart(): void;
  /** Ends it by closing its input. */
  stop(): void;
}

export interface CoProcessOptions {
  /** Shell words, such as "ip -o -force -batch -". */
  readonly command: string;
  readonly onDeath: (why: string) => void;
}

interface Pending {
  readonly word: string;
  readonly settle: (reply: Reply) => void;
}

const defaultDeadlineMs = 1000;

/**
 * The shell around the program ignores what systemd sends to the whole unit (the address must be given up in order
 * first), and starts the program again should somebody kill it: this process itself spawns nothing any more. SIGUSR1 to
 * the group ends the program alone.
 */
const keep = (command: string) =>
  `trap '' TERM INT HUP; trap : USR1; exec 2>&1; while :; do ${command}; [ $? -gt 128 ] || exit; done`;

export function startCoProcess({ command, onDeath }: CoProcessOptions): CoProcess {
  const child = spawn("/bin/sh", ["-c", keep(command)], {
    stdio: ["pipe", "pipe", "ignore"],
    detached: true,
    // nft keeps a history of what it was told in the home directory; here there is none to keep it in.
    env: { ...process.env, HOME: "/nonexistent", LC_ALL: "C" },
  });
  const pending: Pending[] = [];
  let alive = true;
  let collected: string[] = [];
  let sent = 0;

  const die = (why: string) => {
    if (!alive) return;
    alive = false;
    for (const { settle } of pending.splice(0)) settle(undefined);
    onDeath([why, ...collected].join("; "));
  };
  const take = (line: string) => {
    const found = pending.findIndex(({ word }) => line.includes(word));
    if (found < 0) {
      if (isContent(line)) collected.push(line);
      return;
    }
    // Those before it were swallowed by a program that was killed: nobody knows what became of them.
    for (const { settle } of pending.splice(0, found)) settle(undefined);
    const lines = collected.at(-1)?.startsWith("Error: syntax error") ? collected.slice(0, -1) : collected;
    collected = [];
    pending.shift()?.settle(lines);
  };
  listen(child, take, die);

  return {
    run(text, withinMs = defaultDeadlineMs) {
      if (!alive) return Promise.resolve(undefined);
      sent += 1;
      const word = `ack${sent}ack`;
      return new Promise<Reply>((resolve) => {
        const timer = setTimeout(() => resolve(undefined), withinMs);
        const settle = (reply: Reply) => {
          clearTimeout(timer);
          resolve(reply);
        };
        pending.push({ word, settle });
        child.stdin?.write(`${text}\n${word}\n`);
      });
    },
    get alive() {
      return alive;
    },
    restart() {
      try {
        if (alive && child.pid !== undefined) process.kill(-child.pid, "SIGUSR1");
      } catch {
        // It has just ended, which its own event tells.
      }
    },
    stop() {
      alive = false;
      for (const { settle } of pending.splice(0)) settle(undefined);
      child.stdin?.end();
    },
  };
}

function listen(child: ChildProcess, take: (line: string) => void, die: (why: string) => void): void {
  child.once("error", (error) => die(error.message));
  child.once("close", (code, signal) => die(`it ended with ${signal ?? code}`));
  // A write after its end is told by `close` as well.
  child.stdin?.on("error", () => {});
  child.stdout?.on("data", splitLines(take));
  child.unref();
  for (const stream of [child.stdin, child.stdout]) (stream as { unref?: () => void } | null)?.unref?.();
}

/** The rest of an error message about the acknowledging word: a caret under it, or the count of lines. */
function isContent(line: string): boolean {
  return line.trim() !== "" && !/^\s*\^+\s*$/.test(line) && !/^Command failed -:\d+$/.test(line);
}
