/** How the suite for services gets instances, and asks the world whether they serve: see "understudy plugin test". */

import { connect, createServer } from "node:net";
import { makePlugin, recordingLog } from "@understudy/core/conformance/capabilities";
import type { ServiceSuite } from "@understudy/core/conformance/service";
import plugin from "./plugin.ts";

export { plugin };

export const conformance: ServiceSuite = {
  name: "@@NAME@@",
  // Set this when a test can end what serves behind the plugin's back, and give `crash`: a process, for instance.
  crashes: false,
  async make() {
    const port = await freePort();
    const service = makePlugin(plugin, { host: "127.0.0.1", port }, { log: recordingLog() });
    return { service, serves: () => echoes(port), dispose() {} };
  },
};

/** Past the plugin, as a client would. */
function echoes(port: number): Promise<boolean> {
  return new Promise((answer) => {
    const socket = connect(port, "127.0.0.1", () => socket.write("hello"));
    socket.once("data", (data) => {
      answer(data.toString() === "hello");
      socket.destroy();
    });
    socket.once("error", () => answer(false));
    socket.once("close", () => answer(false));
  });
}

function freePort(): Promise<number> {
  return new Promise((found, failed) => {
    const server = createServer().once("error", failed);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => found(typeof address === "object" && address !== null ? address.port : 0));
    });
  });
}
