/**
 * Moving the address by hand, with nobody deciding anything: what any planned move must cost at least in this lab. One
 * `ip` waits ready on either machine, so that no process start is counted.
 */

import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { type Contender, haAddress, holders, type MachineName, until } from "./contender.js";

const names = ["primary", "secondary"] as const;

export const byHand: Contender = {
  name: "address moved by hand",
  start: async (segment) => {
    const ready = new Map<MachineName, ChildProcess>();
    for (const machine of names) {
      const child = segment.start(machine, "ip", ["-force", "-batch", "-"], {
        stdio: ["pipe", "ignore", "ignore"],
      });
      await once(child, "spawn");
      ready.set(machine, child);
    }
    const say = (machine: MachineName, line: string) => ready.get(machine)?.stdin?.write(`${line}\n`);
    const add = (machine: MachineName) => say(machine, `addr add ${haAddress}/24 dev eth0`);
    const remove = (machine: MachineName) => say(machine, `addr del ${haAddress}/24 dev eth0`);
    const announce = (machine: MachineName) =>
      segment.start(machine, "arping", ["-q", "-U", "-c", "1", "-w", "1", "-I", "eth0", haAddress], {
        stdio: "ignore",
      });
    const move = async (from: MachineName, to: MachineName) => {
      remove(from);
      add(to);
      announce(to);
      await until(() => holders(segment).join() === to, `${to} has the address`);
    };
    add("primary");
    await until(() => holders(segment).join() === "primary", "the primary has the address");
    return {
      serving: async () => holders(segment)[0] ?? "primary",
      signal: () => {},
      switchover: () => move("primary", "secondary"),
      failback: () => move("secondary", "primary"),
      heal: async () => {
        if (holders(segment).includes("secondary")) await move("secondary", "primary");
      },
      processes: () => ({}),
      stop: async () => {
        for (const child of ready.values()) child.stdin?.end();
      },
    };
  },
};
