/** The transport suite over a pseudo-terminal cable that is pulled and plugged in again, fast and at the usual rate. */

import { makePlugin, otherNode, recordingLog, testNode } from "@understudy/core/conformance/capabilities";
import { transportConformance } from "@understudy/core/conformance/transport";
import serial from "../src/plugin.js";
import { layCable } from "./cable.js";

for (const baud of [115_200, 4_000_000]) {
  transportConformance({
    name: `serial at ${baud} baud`,
    cuts: true,
    async makePair() {
      const cable = await layCable();
      const device = { primary: cable.a, secondary: cable.b };
      const make = (node: ReturnType<typeof testNode>) =>
        makePlugin(serial, { device, baud }, { node, log: recordingLog() });
      const other = () => make(otherNode(testNode()));
      return {
        a: make(testNode()),
        b: other(),
        again: other,
        cut: cable.pull,
        mend: cable.plug,
        dispose: cable.remove,
      };
    },
  });
}
