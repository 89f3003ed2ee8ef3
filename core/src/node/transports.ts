/**
 * Paths whose transport is too slow for pulse run here: their frames travel over the pipe in both directions.
 */

import type { Transport } from "../plugin/contract.js";
import type { Log } from "../plugin/tokens.js";
import { bounded } from "./bounded.js";
import type { Named } from "./parts.js";
import type { PulseClient } from "./pulse-client.js";

export interface Transports {
  start(): Promise<void>;
  send(path: string, frame: Uint8Array): void;
  /** Tells pulse how each path is, for status. */
  describeAll(): void;
  stop(): Promise<void>;
}

const startLimitMs = 10_000;
const stopLimitMs = 5000;
const describeEveryMs = 1000;

export function startTransports(
  transports: readonly Named<Transport>[],
  pulse: Pick<PulseClient, "send">,
  log: Log,
): Transports {
  const byPath = new Map(transports.map(({ name, plugin }) => [name, plugin]));
  let timer: NodeJS.Timeout | undefined;

  function describeAll(): void {
    for (const [path, transport] of byPath) {
      pulse.send({ type: "pathDescription", path, description: transport.describe() });
    }
  }

  return {
    async start() {
      if (byPath.size === 0) return;
      timer = setInterval(describeAll, describeEveryMs);
      await Promise.all(
        [...byPath].map(async ([path, transport]) => {
          const receive = (frame: Uint8Array) =>
            void pulse.send({ type: "frame", path, frame: Buffer.from(frame).toString("base64") });
          const result = await bounded(() => transport.start(receive), startLimitMs);
          if (result.kind !== "done") log.error({ path, reason: result.reason }, "a path did not start");
        }),
      );
      describeAll();
    },
    send: (path, frame) => byPath.get(path)?.send(frame),
    describeAll,
    async stop() {
      clearInterval(timer);
      await Promise.all(
        [...byPath.values()].map((transport) => bounded(() => transport.stop(), stopLimitMs)),
      );
    },
  };
}
