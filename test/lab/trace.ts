/**
 * Watches or delays the system calls of one process with strace, to see that a promise rests on the call it needs. Ends
 * with the process or by `stop`.
 */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";

export interface Trace {
  /** Every traced call so far, one line each, in order. */
  lines(): readonly string[];
  stop(): Promise<void>;
}

/** Resolves once every thread of the process is traced. */
export async function traceCalls(pid: number, args: readonly string[]): Promise<Trace> {
  const child = spawn("strace", ["-f", "-p", String(pid), ...args], { stdio: ["ignore", "ignore", "pipe"] });
  const lines: string[] = [];
  const attached = Promise.withResolvers<void>();
  createInterface({ input: child.stderr }).on("line", (line) => {
    if (/Process \d+ attached/.test(line)) attached.resolve();
    else lines.push(line);
  });
  child.once("error", attached.reject);
  child.once("exit", (code) => attached.reject(new Error(`strace ended with ${code}: ${lines.join("\n")}`)));
  await attached.promise;
  return {
    lines: () => lines,
    stop: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill("SIGINT");
      await once(child, "exit");
    },
  };
}
