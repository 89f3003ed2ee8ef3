/**
 * Watches the UDP beats of one machine where they arrive at another (see `beat-watch-process.ts`), and beside them those of
 * a metronome: the same beats from a process that does nothing else. What delays both is the machine's doing.
 */

import { type ChildProcess, execFileSync } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { Segment } from "./segment.js";

export interface BeatTimes {
  /** When each arrived, milliseconds, good for differences alone. */
  readonly beatsMs: readonly number[];
  readonly metronomeMs: readonly number[];
}

export interface BeatWatch {
  /** Forgets what has arrived so far. Starting a watch takes a core for a while, and beats of then are late by it. */
  begin(): void;
  stop(): Promise<BeatTimes>;
}

const heartbeatPort = 6940;
const metronomePort = 6999;

function scriptOf(name: string): string {
  return fileURLToPath(new URL(`./${name}.js`, import.meta.url));
}

/** The metronome beats every `intervalMs`. */
export async function watchBeats(
  segment: Segment,
  from: string,
  to: string,
  intervalMs: number,
): Promise<BeatWatch> {
  const watcher = [scriptOf("beat-watch-process"), segment.machine(to).device, segment.machine(from).address];
  const ports = [heartbeatPort, metronomePort].map(String);
  const child = segment.start(to, process.execPath, [...watcher, ...ports], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const next = linesOf(child);
  const first = await next();
  if (first !== "ready") throw new Error(`the watcher of beats did not start: ${first}`);
  const metronome = segment.start(
    from,
    process.execPath,
    [scriptOf("metronome-process"), segment.machine(to).address, String(metronomePort), String(intervalMs)],
    { stdio: ["pipe", "pipe", "inherit"] },
  );
  await linesOf(metronome)();
  // Not from its start: a Node that loads in real time keeps pulse from the core for 20 to 30 ms.
  execFileSync("chrt", ["--all-tasks", "--fifo", "--pid", pulsePriority, String(metronome.pid)]);
  return {
    begin: () => void child.stdin?.write("begin\n"),
    stop: async () => {
      metronome.stdin?.end();
      child.stdin?.end();
      const times = JSON.parse(await next()) as Readonly<Record<string, readonly number[]>>;
      return { beatsMs: times[heartbeatPort] ?? [], metronomeMs: times[metronomePort] ?? [] };
    },
  };
}

/** See core/src/pulse/real-time.ts. */
const pulsePriority = "50";

function linesOf(child: ChildProcess): () => Promise<string> {
  if (child.stdout === null) throw new Error("the child has no standard output");
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return async () => {
    const line = await lines.next();
    if (line.done) throw new Error("a process ended that should have gone on");
    return line.value;
  };
}
