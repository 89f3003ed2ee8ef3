/** A Mosquitto on a machine of the segment, which can be killed and started again. It ends with the segment. */

import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Segment } from "./segment.js";

export interface Broker {
  start(): void;
  /** SIGKILL, and waits for the end. */
  kill(): Promise<void>;
}

/** Everybody may do everything there: only the machines of the segment reach it. */
export function makeBroker(segment: Segment, machine: string, folder: string): Broker {
  const { address } = segment.machine(machine);
  const file = join(folder, "mosquitto.conf");
  writeFileSync(file, `user root\nlog_dest none\nlistener 1883 ${address}\nallow_anonymous true\n`);
  let child: ChildProcess | undefined;
  return {
    start() {
      // Debian keeps it in /usr/sbin, which is not on everybody's path.
      const env = { ...process.env, PATH: `${process.env.PATH}:/usr/sbin` };
      child = segment.start(machine, "mosquitto", ["-c", file], { env, stdio: "ignore" });
    },
    async kill() {
      const killed = child;
      if (killed === undefined || killed.exitCode !== null || killed.signalCode !== null) return;
      const ended = once(killed, "exit");
      killed.kill("SIGKILL");
      await ended;
    },
  };
}
