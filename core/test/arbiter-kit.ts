/**
 * The smallest exclusive arbiter there can be: a granter in memory with a clock, which may be cut off. Shows that the
 * suite accepts a right one, and is broken on purpose to show that it refuses wrong ones.
 */

import type { Arbiter, Ruling, Side } from "@understudy/core/public";

export interface Granter {
  holder: Side | undefined;
  epoch: number;
  untilMs: number;
  cutOff: boolean;
  readonly grantMs: number;
}

export function makeGranter(grantMs: number): Granter {
  return { holder: undefined, epoch: 0, untilMs: 0, cutOff: false, grantMs };
}

const nowMs = () => Number(process.hrtime.bigint()) / 1e6;

function rule(granter: Granter, side: Side, epoch: number): Ruling {
  const askedMs = nowMs();
  if (granter.holder !== side && granter.untilMs > askedMs)
    return { verdict: "denied", why: `the ${granter.holder} holds it`, seenEpoch: granter.epoch };
  if (epoch < granter.epoch || (epoch === granter.epoch && granter.holder !== side))
    return { verdict: "denied", why: `epoch ${granter.epoch} was granted`, seenEpoch: granter.epoch };
  granter.holder = side;
  granter.epoch = epoch;
  granter.untilMs = askedMs + granter.grantMs;
  return { verdict: "granted", why: "nobody else holds it", untilMs: granter.untilMs };
}

export function memoryArbiter(granter: Granter, side: Side): Arbiter {
  let stopped = false;
  const stop = new AbortController();
  return {
    start: async () => {
      stopped = false;
    },
    async ask(epoch, signal) {
      if (stopped) return { verdict: "unknown", why: "it is stopped" };
      if (!granter.cutOff) return rule(granter, side, epoch);
      const either = AbortSignal.any([signal, stop.signal]);
      await new Promise<void>((resolve) => {
        if (either.aborted) return resolve();
        const timer = setTimeout(resolve, 500);
        either.addEventListener("abort", () => {
          clearTimeout(timer);
          resolve();
        });
      });
      return { verdict: "unknown", why: "nobody answered" };
    },
    async release(epoch) {
      if (granter.holder === side && granter.epoch === epoch) granter.untilMs = 0;
    },
    async stop() {
      stopped = true;
      stop.abort();
    },
    describe: () => (stopped ? "memory, stopped" : `memory, for the ${side}`),
  };
}
