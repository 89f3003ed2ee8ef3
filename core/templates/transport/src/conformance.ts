/** How the suite for transports gets two ends of a path: see "understudy plugin test". */

import { createServer } from "node:net";
import { makePlugin, otherNode, recordingLog, testNode } from "@understudy/core/conformance/capabilities";
import type { TransportSuite } from "@understudy/core/conformance/transport";
import plugin from "./plugin.ts";

export { plugin };

export const conformance: TransportSuite = {
  name: "@@NAME@@",
  // Set this when a test can cut the path, and give `cut` and `mend` with each pair: the suite then tests that too.
  cuts: false,
  async makePair() {
    const port = await freePort();
    // By default the two nodes are 127.0.0.1 and 127.0.0.2.
    const one = testNode();
    const make = (node: typeof one) => makePlugin(plugin, { port }, { node, log: recordingLog() });
    const other = () => make(otherNode(one));
    // `again` is the other node after a restart: the suite tests that the path comes back.
    return { a: make(one), b: other(), again: other, dispose() {} };
  },
};

function freePort(): Promise<number> {
  return new Promise((found, failed) => {
    const server = createServer().once("error", failed);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => found(typeof address === "object" && address !== null ? address.port : 0));
    });
  });
}
