/**
 * One program in the foreground that lives no longer than this process: its output goes to the log, its end is noticed,
 * and a guard ends it when the node process is killed, because then nobody would know of it.
 */

import { type ChildProcess, spawn } from "node:child_process";
import type { Readable } from "node:stream";
import {
  type Command,
  inheritedEnvironment,
  type Log,
  programOf,
  signalGroup,
} from "@understudy/core/public";

export interface SupervisedProcess {
  readonly pid: number;
  readonly alive: boolean;
  /** Settles at its end with "exit code 1" or "killed by SIGKILL". */
  readonly ended: Promise<string>;
  /** SIGTERM to its process group, SIGKILL after `graceMs`. */
  stop(graceMs: number): Promise<void>;
}

export interface SupervisedOptions {
  readonly environment: Readonly<Record<string, string>>;
  readonly workingDirectory: string | undefined;
  /** What the guard leaves between SIGTERM and SIGKILL. */
  readonly graceMs: number;
  readonly log: Log;
}

/**
 * Waits on a pipe from this process. A word means that all is well and nothing is left to guard; the pipe's end without
 * one means that this process has died.
 */
const guardScript = `read -r word && exit 0
kill -s TERM -- "-$1" 2>/dev/null || exit 0
sleep "$2"
kill -s KILL -- "-$1" 2>/dev/null`;

const longestLine = 1000;
const mostLinesASecond = 50;

/** Rejects when the program cannot be run. */
export async function supervise(command: Command, options: SupervisedOptions): Promise<SupervisedProcess> {
  const [program, ...args] = programOf(command);
  const child = spawn(program, args, {
    cwd: options.workingDirectory,
    env: { ...inheritedEnvironment(), ...options.environment },
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const ended = new Promise<string>((resolve) => {
    child.once("exit", (code, signal) =>
      resolve(signal === null ? `exit code ${code}` : `killed by ${signal}`),
    );
  });
  await new Promise<void>((resolve, reject) => {
    child.once("spawn", resolve);
    child.once("error", reject);
  });
  child.on("error", (error) => options.log.warn({ error }, "a signal to the service could not be sent"));
  const { pid } = child;
  if (pid === undefined) throw new Error("the program has no process id");
  logLines(child, options.log);
  const dismiss = guard(pid, options);
  let alive = true;
  const gone = ended.then((reason) => {
    alive = false;
    // What the program started goes with it: it would hold the port of the next one.
    signalGroup(pid, "SIGKILL");
    dismiss();
    return reason;
  });
  return {
    pid,
    get alive() {
      return alive;
    },
    ended: gone,
    async stop(graceMs) {
      if (!alive) return;
      signalGroup(pid, "SIGTERM");
      const timer = setTimeout(() => signalGroup(pid, "SIGKILL"), graceMs);
      await gone;
      clearTimeout(timer);
    },
  };
}

function guard(group: number, { graceMs, log }: SupervisedOptions): () => void {
  const child = spawn(
    "/bin/sh",
    ["-c", guardScript, "understudy-guard", String(group), String(graceMs / 1000)],
    {
      // A group of its own: what ends this process's group does not end the guard.
      detached: true,
      stdio: ["pipe", "ignore", "ignore"],
    },
  );
  child.on("error", (error) =>
    log.error({ error }, "the service has no guard: it would outlive this process"),
  );
  child.stdin.on("error", () => undefined);
  child.unref();
  return () => child.stdin.end("well\n");
}

function logLines(child: ChildProcess, log: Log): void {
  let second = 0;
  let lines = 0;
  let dropped = 0;
  const line = (text: string) => {
    const now = Math.floor(performance.now() / 1000);
    if (now !== second) {
      if (dropped > 0) log.warn({ pid: child.pid, dropped }, "lines of the service were left out of the log");
      second = now;
      lines = 0;
      dropped = 0;
    }
    lines += 1;
    if (lines > mostLinesASecond) dropped += 1;
    else log.info({ pid: child.pid, line: text.slice(0, longestLine) }, "output of the service");
  };
  for (const stream of [child.stdout, child.stderr]) if (stream) readLines(stream, line);
}

/** A line without an end is cut, so that a program that never ends one fills no memory. */
function readLines(stream: Readable, line: (text: string) => void): void {
  let rest = "";
  stream.setEncoding("utf8");
  stream.on("data", (chunk: string) => {
    const parts = (rest + chunk).split("\n");
    rest = (parts.pop() ?? "").slice(0, longestLine);
    for (const part of parts) if (part !== "") line(part);
  });
  stream.on("end", () => {
    if (rest !== "") line(rest);
  });
  stream.on("error", () => undefined);
}
