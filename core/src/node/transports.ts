/**
 * Paths whose transport is too slow for pulse run here: their frames travel over the pipe in both directions. What a
 * transport does wrong is named and dropped, and no flood of it reaches pulse.
 */

import type { CallMeter } from "../plugin/call-meter.js";
import type { Transport } from "../plugin/contract.js";
import { guardedTransport } from "../plugin/guarded-transport.js";
import { startPlugin, stopPlugin } from "../plugin/start-stop.js";
import type { Clock, Log } from "../plugin/tokens.js";
import type { Named } from "./parts.js";
import type { PulseClient } from "./pulse-client.js";

export interface Transports {
  /** Never rejects: a path that does not start stays down and says why. */
  start(): Promise<void>;
  send(path: string, frame: Uint8Array): void;
  /** Tells pulse how each path is, for status. */
  describeAll(): void;
  stop(): Promise<void>;
}

export interface TransportsOptions {
  readonly transports: readonly Named<Transport>[];
  readonly pulse: Pick<PulseClient, "passing">;
  readonly clock: Clock;
  readonly log: Log;
  readonly meter: CallMeter;
  /** Rare. */
  misbehaved(path: string, what: string): void;
}

const startLimitMs = 10_000;
const stopLimitMs = 5000;
const describeEveryMs = 1000;
/**
 * The fastest profile sends 200 beats a second, and four brokers double each twice: what exceeds that is no heartbeat. Each
 * costs pulse a line to parse and a signature to check, and pulse has the highest priority on the machine.
 */
const mostFramesPerSecond = 1000;
const burst = 250;
/** The longest frame a transport may carry. */
const longestFrame = 512;

interface Path {
  readonly name: string;
  readonly transport: Transport;
  state: "new" | "started" | "stopped";
  failure: string | undefined;
  readonly take: () => boolean;
  flooded: boolean;
}

export function startTransports(options: TransportsOptions): Transports {
  const { pulse, log } = options;
  const paths = new Map(options.transports.map((named) => [named.name, pathOf(named, options)]));
  let timer: NodeJS.Timeout | undefined;

  function receive(path: Path, frame: Uint8Array): void {
    // Also before its start has settled: the path is open by then. Wrong sizes are no frames of ours.
    if (path.state === "stopped" || frame.length === 0 || frame.length > longestFrame) return;
    if (!path.take()) {
      if (!path.flooded)
        options.misbehaved(path.name, `delivers more than ${mostFramesPerSecond} frames a second`);
      path.flooded = true;
      return;
    }
    pulse.passing({ type: "frame", path: path.name, frame: Buffer.from(frame).toString("base64") });
  }

  function describeAll(): void {
    for (const path of paths.values()) {
      const own = path.failure === undefined ? path.transport.describe() : `not started: ${path.failure}`;
      const flooded = path.flooded
        ? ` (more than ${mostFramesPerSecond} frames a second arrive: some are dropped)`
        : "";
      path.flooded = false;
      pulse.passing({ type: "pathDescription", path: path.name, description: `${own}${flooded}` });
    }
  }

  return {
    async start() {
      if (paths.size === 0) return;
      timer = setInterval(describeAll, describeEveryMs);
      await Promise.all(
        [...paths.values()].map(async (path) => {
          const begun = () => path.transport.start((frame) => receive(path, frame));
          const trouble = await startPlugin(begun, startLimitMs);
          if (trouble === undefined) {
            if (path.state === "new") path.state = "started";
            return;
          }
          path.failure = trouble.reason;
          log.error({ path: path.name, ...trouble }, "a path did not start");
        }),
      );
      describeAll();
    },
    send(path, frame) {
      const found = paths.get(path);
      if (found?.state === "started") found.transport.send(frame);
    },
    describeAll,
    async stop() {
      clearInterval(timer);
      await Promise.all(
        [...paths.values()].map(async (path) => {
          path.state = "stopped";
          const trouble = await stopPlugin(() => path.transport.stop(), stopLimitMs);
          if (trouble !== undefined) log.warn({ path: path.name, ...trouble }, "a path did not stop");
        }),
      );
    },
  };
}

function pathOf({ name, plugin }: Named<Transport>, options: TransportsOptions): Path {
  const nowMs = () => options.clock.nowMs();
  const transport = guardedTransport(plugin, {
    meter: options.meter,
    name: `transport of path ${name}`,
    nowMs,
    misbehaved: (what) => options.misbehaved(name, what),
  });
  return { name, transport, state: "new", failure: undefined, take: allowance(nowMs), flooded: false };
}

/** True for as long as no more than the limit is taken: a bucket that fills with time. */
function allowance(nowMs: () => number): () => boolean {
  let left = burst;
  let atMs = nowMs();
  return () => {
    const now = nowMs();
    left = Math.min(burst, left + ((now - atMs) * mostFramesPerSecond) / 1000);
    atMs = now;
    if (left < 1) return false;
    left -= 1;
    return true;
  };
}
