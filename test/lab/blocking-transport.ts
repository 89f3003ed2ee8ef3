/** A transport that holds its process up in every send, as a badly written one would, and carries nothing. */

import type { Transport } from "@understudy/core/public";

export function blockingTransport(sendMs: number): Transport {
  const sleeper = new Int32Array(new SharedArrayBuffer(4));
  return {
    async start() {},
    send: () => void Atomics.wait(sleeper, 0, 0, sendMs),
    async stop() {},
    describe: () => "a transport that blocks",
  };
}
