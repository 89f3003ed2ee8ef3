/** A stand-in for the node process: promotes one service whose program writes its process id, says so, and waits. */

import { makePlugin, recordingLog, testNode } from "@understudy/core/conformance/capabilities";
import exec from "../src/plugin.js";

const pidFile = process.argv[2] ?? "";
const service = makePlugin(
  exec,
  {
    run: { shell: `echo $$ > ${pidFile}; exec sleep 600` },
    health: { shell: `kill -0 $(cat ${pidFile})` },
    stopTimeoutMs: 200,
  },
  { node: testNode(), log: recordingLog() },
);
await service.start();
await service.promote(1);
console.log("up");
setInterval(() => undefined, 1000);
