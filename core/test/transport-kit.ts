/** The smallest transport there can be, two ends in memory, to be broken on purpose: see transport-suite.test.ts. */

import type { Transport } from "@understudy/core/public";

export interface Cable {
  readonly ends: Map<"a" | "b", (frame: Uint8Array) => void>;
}

export function makeCable(): Cable {
  return { ends: new Map() };
}

export function memoryTransport({ ends }: Cable, side: "a" | "b"): Transport {
  const other = side === "a" ? "b" : "a";
  let open = false;
  return {
    async start(receive) {
      open = true;
      ends.set(side, receive);
    },
    send(frame) {
      if (!open || frame.length === 0 || frame.length > 512) return;
      ends.get(other)?.(frame.slice());
    },
    async stop() {
      open = false;
      ends.delete(side);
    },
    describe: () => (open ? "a cable in memory" : "a cable in memory: down"),
  };
}
