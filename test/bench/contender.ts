/**
 * What the benchmark wants of a pair that keeps an address, whoever made it: start on a segment, fail in a given way,
 * be whole again. The same client, the same segment and the same faults then measure each.
 */

import type { Segment } from "../lab/segment.js";

export type MachineName = "primary" | "secondary";

export const haAddress = "10.77.0.4";

export interface RunningPair {
  /** The machine that serves now, from the outside: who answers for the address. */
  serving(): Promise<MachineName>;
  /** SIGKILL or SIGSTOP of what decides on the serving machine, or of everything that belongs to the pair there. */
  signal(machine: MachineName, what: "deciding" | "serving" | "all", signal: NodeJS.Signals): void;
  /** Hands the service over on purpose; undefined: it has no such command. */
  switchover: (() => Promise<void>) | undefined;
  /** Takes the service back as planned; undefined: it has no such command. */
  failback: (() => Promise<void>) | undefined;
  /** Everything running everywhere again and the primary serving. Called after every fault. */
  heal(): Promise<void>;
  /** Processes whose memory and time are measured, by a name for people. */
  processes(machine: MachineName): Readonly<Record<string, number>>;
  stop(): Promise<void>;
}

export interface Contender {
  readonly name: string;
  start(segment: Segment): Promise<RunningPair>;
}

/** Waits for something that is looked at again and again, never for a time. */
export async function until(
  holds: () => boolean | Promise<boolean>,
  what: string,
  withinMs = 30_000,
): Promise<void> {
  const endMs = performance.now() + withinMs;
  while (!(await holds())) {
    if (performance.now() > endMs) throw new Error(`waited ${withinMs} ms in vain for: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** Which of the two machines has the address by its own kernel's word. */
export function holders(segment: Segment): readonly MachineName[] {
  return (["primary", "secondary"] as const).filter((name) =>
    segment.run(name, "ip", ["-o", "-4", "addr", "show", "dev", "eth0"]).includes(` ${haAddress}/`),
  );
}
