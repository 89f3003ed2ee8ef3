/**
 * Stands between pulse and the transports that run in it. What breaks the contract is dropped and named; a transport
 * whose calls block is taken out of service, so that it does not delay the beats of the other paths.
 *
 * It is never missed: while no other path works it is used all the same, and after a while it gets another chance.
 */

import { types } from "node:util";
import type { CallMeter, LongCall } from "../plugin/call-meter.js";
import type { ProbeTarget, Transport } from "../plugin/contract.js";
import type { Clock } from "../plugin/tokens.js";
import type { NamedTransport } from "./paths.js";

export interface GuardParts {
  readonly meter: CallMeter;
  readonly clock: Clock;
  /** A path on which a fresh beat came within this time works. */
  worksWithinMs(path: string): number;
  /** For timeline and log: rare. `code` is one of errors/plugins.ts. */
  record(
    what: string,
    details: { readonly code: "PLUGIN_BLOCKS" | "PLUGIN_MISBEHAVES"; readonly path: string },
  ): void;
}

export interface GuardedTransports {
  readonly transports: readonly NamedTransport[];
  /** A fresh beat came on this path, wherever its transport runs. */
  heard(path: string): void;
  /** To be called by the meter. */
  longCall(call: LongCall): void;
}

const sameAgainMs = 60_000;
const longestDescription = 300;
/** Out for ten minutes, then for twice as long each time, up to six hours. */
const firstOutMs = 600_000;
const longestOutMs = 6 * 3_600_000;
/** With nobody heard on any path a blocking one carries a hello a second: a node alone must not be held up by it. */
const nobodyHeardMs = 5000;
const helloEveryMs = 1000;

interface Guarded {
  readonly name: string;
  readonly transport: Transport;
  stopped: boolean;
  heardMs: number;
  sentMs: number;
  outUntilMs: number;
  outForMs: number;
  outBecause: string;
  readonly saidMs: Map<string, number>;
}

export function guardTransports(given: readonly NamedTransport[], parts: GuardParts): GuardedTransports {
  const { meter, clock } = parts;
  const heardMs = new Map<string, number>();
  const guardeds = new Map<string, Guarded>();

  function isOut(path: string, nowMs: number): boolean {
    return (guardeds.get(path)?.outUntilMs ?? 0) > nowMs;
  }

  function lastHeardMs(paths: readonly NamedTransport[]): number {
    return Math.max(...paths.map(({ name }) => heardMs.get(name) ?? Number.NEGATIVE_INFINITY));
  }

  /** Another path that is in service has just been heard. */
  function anotherWorks(path: string, nowMs: number): boolean {
    return given.some(
      ({ name }) =>
        name !== path &&
        !isOut(name, nowMs) &&
        nowMs - (heardMs.get(name) ?? Number.NEGATIVE_INFINITY) <= parts.worksWithinMs(name),
    );
  }

  function complain(guarded: Guarded, what: string): void {
    const nowMs = clock.nowMs();
    if (nowMs - (guarded.saidMs.get(what) ?? Number.NEGATIVE_INFINITY) < sameAgainMs) return;
    guarded.saidMs.set(what, nowMs);
    parts.record(`the transport of path ${guarded.name} ${what}`, {
      code: "PLUGIN_MISBEHAVES",
      path: guarded.name,
    });
  }

  /** What a method gives, or undefined when it throws. */
  function attempt<T>(guarded: Guarded, method: string, work: () => T): T | undefined {
    try {
      return meter.call(guarded.name, method, work);
    } catch (error) {
      complain(guarded, `threw in ${method}, where it must not: ${reasonOf(error)}`);
      return undefined;
    }
  }

  function send(guarded: Guarded, frame: Uint8Array): void {
    const nowMs = clock.nowMs();
    if (guarded.outUntilMs > nowMs && !isNeeded(guarded, nowMs)) return;
    guarded.sentMs = nowMs;
    // Nothing is given by contract; an async method would reject where nobody listens, and end the process.
    const given: unknown = attempt(guarded, "send", () => guarded.transport.send(frame));
    if (types.isPromise(given))
      given.catch((error: unknown) =>
        complain(guarded, `rejected in send, where it must not: ${reasonOf(error)}`),
      );
  }

  function isNeeded(guarded: Guarded, nowMs: number): boolean {
    if (anotherWorks(guarded.name, nowMs)) return false;
    return nowMs - lastHeardMs(given) < nobodyHeardMs || nowMs - guarded.sentMs >= helloEveryMs;
  }

  function describe(guarded: Guarded): string {
    const line: unknown = attempt(guarded, "describe", () => guarded.transport.describe());
    const own = typeof line === "string" ? oneLine(line) : "it does not say how it is";
    const nowMs = clock.nowMs();
    if (guarded.outUntilMs <= nowMs) return own;
    const minutes = Math.ceil((guarded.outUntilMs - nowMs) / 60_000);
    const meanwhile = anotherWorks(guarded.name, nowMs)
      ? `tried again in ${minutes} min`
      : "used all the same while no other path works";
    return `taken out: ${guarded.outBecause}; ${meanwhile} (${own})`;
  }

  function probeTarget(guarded: Guarded): ProbeTarget | undefined {
    return attempt(guarded, "probeTarget", () => guarded.transport.probeTarget?.());
  }

  function guard(name: string, transport: Transport): Transport {
    const guarded = newGuarded(name, transport);
    guardeds.set(name, guarded);
    return {
      start: (receive) =>
        transport.start((frame) => {
          if (guarded.stopped) complain(guarded, "delivers after its stop");
          else if (types.isUint8Array(frame)) receive(frame);
          else complain(guarded, "delivers something that is no Uint8Array");
        }),
      send: (frame) => send(guarded, frame),
      async stop() {
        try {
          await transport.stop();
        } finally {
          guarded.stopped = true;
        }
      },
      describe: () => describe(guarded),
      ...(transport.probeTarget === undefined ? {} : { probeTarget: () => probeTarget(guarded) }),
    };
  }

  function takeOut(guarded: Guarded, what: string, nowMs: number): void {
    guarded.outForMs = Math.min(longestOutMs, guarded.outForMs === 0 ? firstOutMs : guarded.outForMs * 2);
    guarded.outUntilMs = nowMs + guarded.outForMs;
    guarded.outBecause = what;
    const minutes = guarded.outForMs / 60_000;
    parts.record(
      `path ${guarded.name} is taken out of service for ${minutes} min, because its transport holds up the others: ${what}`,
      { code: "PLUGIN_BLOCKS", path: guarded.name },
    );
  }

  const transports = given.map((named) =>
    named.transport === undefined ? named : { ...named, transport: guard(named.name, named.transport) },
  );
  return {
    transports,
    heard: (path) => void heardMs.set(path, clock.nowMs()),
    longCall(call) {
      const guarded = guardeds.get(call.plugin);
      if (guarded === undefined || !call.overdrawn || guarded.stopped) return;
      const nowMs = clock.nowMs();
      if (guarded.outUntilMs <= nowMs && given.length > 1) takeOut(guarded, longCallText(call), nowMs);
    },
  };
}

/** "its send blocked for 40 ms" */
export function longCallText({ method, ms, cause }: LongCall): string {
  const did = cause === "computed" ? "computed" : cause === "waited" ? "blocked" : "took";
  return `its ${method} ${did} for ${ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms`;
}

function newGuarded(name: string, transport: Transport): Guarded {
  return {
    name,
    transport,
    stopped: false,
    heardMs: Number.NEGATIVE_INFINITY,
    sentMs: Number.NEGATIVE_INFINITY,
    outUntilMs: 0,
    outForMs: 0,
    outBecause: "",
    saidMs: new Map(),
  };
}

function reasonOf(error: unknown): string {
  return oneLine(error instanceof Error ? error.message : String(error));
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, " ").trim().slice(0, longestDescription);
}
