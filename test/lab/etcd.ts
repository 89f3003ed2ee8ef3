/** A real etcd of three members, each on a machine of its own on the segment, which can lose power and come back. */

import { closeSync, mkdirSync, openSync } from "node:fs";
import { join } from "node:path";
import type { Segment } from "./segment.js";

/** Machines that `startPair` is to put on the segment. */
export const etcdMachines = { etcd1: "10.77.0.21", etcd2: "10.77.0.22", etcd3: "10.77.0.23" } as const;
export const etcdEndpoints = Object.values(etcdMachines).map((address) => `http://${address}:2379`);

export interface Etcd {
  /** Starts the members that do not run. */
  start(): void;
  /** SIGKILL to all members. */
  kill(): void;
}

/** Everything ends with the segment. */
export function makeEtcd(segment: Segment, folder: string): Etcd {
  const cluster = Object.entries(etcdMachines)
    .map(([name, address]) => `${name}=http://${address}:2380`)
    .join(",");
  const startOne = (name: string, address: string) => {
    const own = join(folder, name);
    mkdirSync(own, { recursive: true });
    const log = openSync(join(own, "log"), "a");
    const peer = `http://${address}:2380`;
    const client = `http://${address}:2379`;
    const args = [
      ["--name", name, "--data-dir", join(own, "data"), "--log-level", "warn"],
      ["--listen-client-urls", client, "--advertise-client-urls", client],
      ["--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer, "--initial-cluster", cluster],
    ];
    const child = segment.start(name, "etcd", args.flat(), { stdio: ["ignore", log, log] });
    child.on("error", (error) => process.emitWarning(`etcd was not started: ${error.message}`));
    closeSync(log);
  };
  return {
    start() {
      for (const [name, address] of Object.entries(etcdMachines)) startOne(name, address);
    },
    kill() {
      for (const name of Object.keys(etcdMachines)) segment.signal(name, "SIGKILL");
    },
  };
}
