/**
 * keepalived as Debian packages it, in the same lab: the measure that every figure of ours stands beside. VRRP version 3
 * for adverts below a second; everything not named here is its own default.
 */

import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Segment } from "../lab/segment.js";
import {
  type Contender,
  haAddress,
  holders,
  type MachineName,
  type RunningPair,
  until,
} from "./contender.js";

const names = ["primary", "secondary"] as const;

function configOf(name: MachineName, advertSeconds: number): string {
  const priority = name === "primary" ? 150 : 100;
  return `global_defs {
  vrrp_version 3
  router_id ${name}
}
vrrp_instance pair {
  state ${name === "primary" ? "MASTER" : "BACKUP"}
  interface eth0
  virtual_router_id 51
  priority ${priority}
  advert_int ${advertSeconds}
  virtual_ipaddress {
    ${haAddress}/24 dev eth0
  }
}
`;
}

/** `advertSeconds`: 0.01 is the fastest that it takes, 1 its default. */
export function keepalived(name: string, advertSeconds: number): Contender {
  return {
    name,
    start: async (segment) => {
      const folder = mkdtempSync(join(tmpdir(), "us-keepalived-"));
      const children = new Map<MachineName, ChildProcess>();
      const startOn = (machine: MachineName) => {
        const file = join(folder, `${machine}.conf`);
        writeFileSync(file, configOf(machine, advertSeconds), { mode: 0o600 });
        const pids = ["-p", "-r", "-c"].flatMap((flag) => [flag, join(folder, `${machine}${flag}.pid`)]);
        children.set(
          machine,
          segment.start(machine, "keepalived", ["-n", "-l", "-f", file, ...pids], { stdio: "ignore" }),
        );
      };
      for (const machine of names) startOn(machine);
      const pair = runningPair(segment, children, startOn, () => rmSync(folder, { recursive: true }));
      await pair.heal();
      return pair;
    },
  };
}

function runningPair(
  segment: Segment,
  children: Map<MachineName, ChildProcess>,
  startOn: (machine: MachineName) => void,
  removeFolder: () => void,
): RunningPair {
  /** The parent and its VRRP child, by process id at this moment. */
  const pids = (machine: MachineName): readonly number[] => {
    const parent = children.get(machine)?.pid;
    if (parent === undefined) return [];
    return segment
      .run(machine, "sh", ["-c", `echo ${parent}; ps -o pid= --ppid ${parent} || true`])
      .split(/\s+/)
      .filter(Boolean)
      .map(Number);
  };
  const signal = (machine: MachineName, name: NodeJS.Signals) => {
    for (const pid of pids(machine)) {
      try {
        process.kill(pid, name);
      } catch (cause) {
        if ((cause as NodeJS.ErrnoException).code !== "ESRCH") throw cause;
      }
    }
  };
  const alive = (machine: MachineName) => {
    const child = children.get(machine);
    return child !== undefined && child.exitCode === null && child.signalCode === null;
  };
  return {
    serving: async () => {
      const [first] = holders(segment);
      if (first === undefined) throw new Error("nobody has the address");
      return first;
    },
    signal: (machine, _what, name) => signal(machine, name),
    switchover: undefined,
    failback: undefined,
    heal: async () => {
      for (const machine of names) {
        segment.mend(machine);
        if (alive(machine)) {
          signal(machine, "SIGCONT");
          continue;
        }
        // What it left behind when it was killed is removed by hand: it does not do so itself.
        segment.run(machine, "sh", ["-c", `ip addr del ${haAddress}/24 dev eth0 2>/dev/null || true`]);
        startOn(machine);
      }
      await until(() => holders(segment).join() === "primary", "keepalived's primary has the address alone");
    },
    processes: (machine) =>
      Object.fromEntries(pids(machine).map((pid, index) => [index === 0 ? "parent" : "vrrp", pid])),
    stop: async () => {
      const running = [...children.values()].filter(
        ({ exitCode, signalCode }) => exitCode === null && signalCode === null,
      );
      const ended = running.map((child) => once(child, "exit"));
      for (const machine of names) signal(machine, "SIGKILL");
      await Promise.all(ended);
      removeFolder();
    },
  };
}
