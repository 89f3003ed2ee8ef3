/**
 * A small stand-in for pulse, run as a process of its own so that it can be killed and stopped: it has the plugin, renews
 * while it holds, obeys one line at a time and prints reports and answers as JSON lines.
 */

import { createInterface } from "node:readline";
import { makePlugin, testNode } from "@understudy/core/conformance/capabilities";
import type { HaAddress, Plugin } from "@understudy/core/public";
import plugin from "../src/plugin.js";
import { standIn } from "./machine.js";

const haAddresses = JSON.parse(process.argv[2] ?? "[]") as readonly HaAddress[];
const say = (message: object) => process.stdout.write(`${JSON.stringify(message)}\n`);
const log = (level: string) => (fields: object, message: string) => say({ log: level, message, ...fields });
const backend = makePlugin(
  plugin as Plugin<"address">,
  { command: standIn },
  {
    // A cluster for each machine of files: those of other tests are no late guards of this one.
    node: testNode({ haAddresses, cluster: process.env.UNDERSTUDY_IFCONFIG_STATE ?? "" }),
    clock: { nowMs: () => performance.now() },
    log: { debug: log("debug"), info: log("info"), warn: log("warn"), error: log("error") },
  },
);
setInterval(() => backend.renew?.(), 20);

const commands: Record<string, () => unknown> = {
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
  acquire: () => backend.acquire(7),
  release: () => backend.release(),
  holds: () => backend.holds(),
  protections: () => backend.protections?.(),
};

for await (const line of createInterface({ input: process.stdin })) {
  try {
    say({ answered: line, answer: (await commands[line]?.()) ?? null });
  } catch (error) {
    say({ answered: line, error: error instanceof Error ? error.message : String(error) });
  }
}
process.exit(0);
