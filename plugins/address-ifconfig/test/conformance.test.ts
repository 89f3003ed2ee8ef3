/** The suite that every address backend must pass, on a machine whose `ifconfig` is the stand-in. */

import { after } from "node:test";
import { addressConformance } from "@understudy/core/conformance/address";
import {
  makePlugin,
  monotonicClock,
  recordingLog,
  testNode,
} from "@understudy/core/conformance/capabilities";
import type { Plugin } from "@understudy/core/public";
import plugin from "../src/plugin.js";
import { makeMachine, standIn } from "./machine.js";

const machine = makeMachine([
  { name: "net0", address: "10.98.1.2/24" },
  { name: "net0", address: "fd00:98:1::2/64" },
  { name: "net1", address: "192.0.2.2/24" },
]);
process.env.UNDERSTUDY_IFCONFIG_STATE = machine.folder;
after(() => machine.remove());

const haAddresses = [
  { address: "10.98.1.100", family: 4, prefixLength: 24, interfaceName: undefined },
  { address: "fd00:98:1::100", family: 6, prefixLength: 64, interfaceName: undefined },
] as const;
const node = testNode({ addresses: ["10.98.1.2"], peerAddresses: ["10.98.1.3"], haAddresses });
const addresses = haAddresses.map(({ address }) => address);
const family = (address: string) => (address.includes(":") ? "inet6" : "inet");

addressConformance({
  name: "ifconfig",
  takesAddresses: true,
  haAddresses: addresses,
  make: () =>
    makePlugin(
      plugin as Plugin<"address">,
      { command: standIn },
      { node, clock: monotonicClock(), log: recordingLog() },
    ),
  present: () => machine.present(addresses),
  add: (address) =>
    void machine.ifconfig(
      "net0",
      family(address),
      "addif",
      `${address}/${family(address) === "inet" ? 24 : 64}`,
      "up",
    ),
  remove: (address) => void machine.ifconfig("net0", family(address), "removeif", address),
  refuseSecond: () => machine.unplumb(6, "net0"),
});
