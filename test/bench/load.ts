/** Keeps every core busy while something is measured, and says how loaded the machine was. */

import { type ChildProcess, spawn } from "node:child_process";
import { loadavg } from "node:os";

export interface Load {
  stop(): void;
}

/** So many processes that never rest; ended by `stop`, and with this process. */
export function startLoad(processes: number): Load {
  const children: ChildProcess[] = Array.from({ length: processes }, () =>
    spawn(process.execPath, ["-e", "for (;;) Math.sqrt(Math.random())"], { stdio: "ignore" }),
  );
  const stop = () => {
    for (const child of children) child.kill("SIGKILL");
  };
  process.once("exit", stop);
  return {
    stop: () => {
      process.removeListener("exit", stop);
      stop();
    },
  };
}

export function loadNow(): string {
  return (loadavg()[0] ?? Number.NaN).toFixed(1);
}
