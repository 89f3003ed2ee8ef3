/**
 * A small stand-in for pulse, run as a process of its own inside a namespace: it has the plugin, renews while it holds,
 * obeys one line at a time and prints reports and answers as JSON lines.
 */

import { createInterface } from "node:readline";
import type { AddressBackend, HaAddress, NodeIdentity } from "@understudy/core/public";
import plugin from "../src/plugin.js";

const given = JSON.parse(process.argv[2] ?? "{}") as {
  readonly haAddresses: readonly HaAddress[];
  readonly leaseMs: number;
  readonly config?: object;
};

const say = (message: object) => process.stdout.write(`${JSON.stringify(message)}\n`);
const node: NodeIdentity = {
  cluster: "test-cluster",
  name: "us",
  side: "primary",
  peerName: "peer",
  addresses: ["10.98.0.2"],
  peerAddresses: ["10.98.0.3"],
  heartbeatPort: 6940,
  haAddresses: given.haAddresses,
  leaseMs: given.leaseMs,
};
const log = (level: string) => (fields: object, message: string) => say({ log: level, message, ...fields });
const needs = {
  node,
  clock: { nowMs: () => performance.now() },
  log: { debug: log("debug"), info: log("info"), warn: log("warn"), error: log("error") },
};
const backend = plugin.make(plugin.config.parse(given.config ?? {}), needs) as AddressBackend;

let renewing: NodeJS.Timeout | undefined;
const renewEvery = () => {
  clearInterval(renewing);
  renewing = setInterval(() => backend.renew?.(), 20);
};

const commands: Record<string, (argument: string) => unknown> = {
  start: () =>
    backend.start({
      addressRemoved: (address) => say({ report: "addressRemoved", address }),
      addressAdded: (address) => say({ report: "addressAdded", address }),
      addressAnswered: (answer) => say({ report: "addressAnswered", ...answer }),
      neighbourHeard: (interfaceName) => say({ report: "neighbourHeard", interfaceName }),
      carrierChanged: (interfaceName, up) => say({ report: "carrierChanged", interfaceName, up }),
      leaseLapsed: (detail) => say({ report: "leaseLapsed", detail }),
      protectionsChanged: (detail) => say({ report: "protectionsChanged", detail }),
    }),
  acquire: async () => {
    const outcome = await backend.acquire(7);
    renewEvery();
    return outcome;
  },
  release: () => {
    clearInterval(renewing);
    return backend.release();
  },
  holds: () => backend.holds(),
  drop: () => backend.dropLease?.(),
  withdraw: () => backend.withdraw?.(),
  describe: () => backend.describe(),
  protections: () => backend.protections?.(),
  arm: (hex) => backend.armClaims?.([{ epoch: 9, token: Buffer.from(hex, "hex") }]),
  stop: async () => {
    clearInterval(renewing);
    await backend.stop();
  },
};

for await (const line of createInterface({ input: process.stdin })) {
  const [name = "", argument = ""] = line.split(" ");
  try {
    const before = performance.now();
    const answer = await commands[name]?.(argument);
    say({ answered: name, answer: answer ?? null, tookMs: performance.now() - before });
  } catch (error) {
    say({ answered: name, error: error instanceof Error ? error.message : String(error) });
  }
}
