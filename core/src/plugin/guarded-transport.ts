/**
 * A transport that keeps its contract whatever the plugin behind it does: what it throws, rejects with or delivers wrongly
 * is named and goes no further. Every call into it is measured.
 */

import { types } from "node:util";
import type { CallMeter } from "./call-meter.js";
import type { Transport } from "./contract.js";

export interface TransportGuard {
  readonly meter: CallMeter;
  /** What its calls are put down to. */
  readonly name: string;
  nowMs(): number;
  /** "threw in send, where it must not: …"; the same once a minute. */
  misbehaved(what: string): void;
}

const sameAgainMs = 60_000;
const longestLine = 300;

export function guardedTransport(transport: Transport, guard: TransportGuard): Transport {
  const saidMs = new Map<string, number>();
  let stopped = false;

  function complain(what: string): void {
    const nowMs = guard.nowMs();
    if (nowMs - (saidMs.get(what) ?? Number.NEGATIVE_INFINITY) < sameAgainMs) return;
    saidMs.set(what, nowMs);
    guard.misbehaved(what);
  }

  /** What a method gives, or undefined when it throws. */
  function attempt<T>(method: string, work: () => T): T | undefined {
    try {
      return guard.meter.call(guard.name, method, work);
    } catch (error) {
      complain(`threw in ${method}, where it must not: ${reasonOf(error)}`);
      return undefined;
    }
  }

  return {
    start: (receive) =>
      transport.start((frame) => {
        if (stopped) complain("delivers after its stop");
        else if (types.isUint8Array(frame)) receive(frame);
        else complain("delivers something that is no Uint8Array");
      }),
    send(frame) {
      // Nothing is given by contract; an async method would reject where nobody listens, and end the process.
      const given: unknown = attempt("send", () => transport.send(frame));
      if (types.isPromise(given))
        given.catch((error: unknown) => complain(`rejected in send, where it must not: ${reasonOf(error)}`));
    },
    async stop() {
      try {
        await transport.stop();
      } finally {
        stopped = true;
      }
    },
    describe() {
      const line: unknown = attempt("describe", () => transport.describe());
      return typeof line === "string" ? oneLine(line) : "it does not say how it is";
    },
    ...(transport.probeTarget === undefined
      ? {}
      : { probeTarget: () => attempt("probeTarget", () => transport.probeTarget?.()) }),
  };
}

function reasonOf(error: unknown): string {
  return oneLine(error instanceof Error ? error.message : String(error));
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, " ").trim().slice(0, longestLine);
}
