/** The suite of all arbiters, against a real etcd of three members. */

import { after, before } from "node:test";
import { arbiterConformance } from "@understudy/core/conformance/arbiter";
import {
  makePlugin,
  monotonicClock,
  otherNode,
  recordingLog,
  testNode,
} from "@understudy/core/conformance/capabilities";
import { enterPrivateNetwork } from "@understudy/core/conformance/private-network";
import etcd from "../src/plugin.js";
import { type EtcdMembers, gateTo, startEtcd } from "./etcd-members.js";

enterPrivateNetwork(import.meta.url);

let members: EtcdMembers;
before(async () => {
  members = startEtcd();
  await members.ready();
});
after(() => members.dispose());

let made = 0;
arbiterConformance({
  name: "etcd",
  exclusive: true,
  async make() {
    const cluster = `suite${made++}`;
    const gates = await Promise.all(members.endpoints.map(gateTo));
    // What both nodes leave behind that have ended in order: an etcd that knows nothing is granted nothing at first.
    await members.put(
      `/understudy/${cluster}/record`,
      '{"epoch":0,"node":"one","ttlMs":2000,"released":true}',
    );
    const options = {
      endpoints: gates.map(({ endpoint }) => endpoint),
      ttlSeconds: 2,
      requestTimeoutMs: 300,
    };
    return {
      of(side) {
        const node = side === "primary" ? testNode({ cluster }) : otherNode(testNode({ cluster }));
        return makePlugin(etcd, options, { node, clock: monotonicClock(), log: recordingLog() });
      },
      cutOff() {
        for (const gate of gates) gate.shut();
      },
      heal() {
        for (const gate of gates) gate.open();
      },
      dispose: async () => void (await Promise.all(gates.map((gate) => gate.close()))),
    };
  },
});
