/**
 * Takes a transport of pulse out of service whose calls block, so that it does not delay the beats of the other paths. It
 * is never missed: while no other path works it is used all the same, and after a while it gets another chance.
 */

import type { CallMeter, LongCall } from "../plugin/call-meter.js";
import type { Transport } from "../plugin/contract.js";
import { guardedTransport } from "../plugin/guarded-transport.js";
import { longCallText } from "../plugin/long-call.js";
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
  /** To be called by the meter. Gives for how long it takes the call's path out now, undefined when it does not. */
  longCall(call: LongCall): number | undefined;
}

/** Out for ten minutes, then for twice as long each time, up to six hours. */
const firstOutMs = 600_000;
const longestOutMs = 6 * 3_600_000;
/** With nobody heard on any path a blocking one carries a hello a second: a node alone must not be held up by it. */
const nobodyHeardMs = 5000;
const helloEveryMs = 1000;

interface Service {
  readonly path: string;
  sentMs: number;
  outUntilMs: number;
  outForMs: number;
  outBecause: string;
}

export function guardTransports(given: readonly NamedTransport[], parts: GuardParts): GuardedTransports {
  const { meter, clock } = parts;
  const heardMs = new Map<string, number>();
  const services = new Map<string, Service>();
  const silenceMs = (path: string, nowMs: number) => nowMs - (heardMs.get(path) ?? Number.NEGATIVE_INFINITY);

  function isOut(path: string, nowMs: number): boolean {
    return (services.get(path)?.outUntilMs ?? 0) > nowMs;
  }

  /** Another path that is in service has just been heard. */
  function anotherWorks(path: string, nowMs: number): boolean {
    return given.some(
      ({ name }) =>
        name !== path && !isOut(name, nowMs) && silenceMs(name, nowMs) <= parts.worksWithinMs(name),
    );
  }

  function isNeeded({ path, sentMs }: Service, nowMs: number): boolean {
    if (anotherWorks(path, nowMs)) return false;
    return given.some(({ name }) => silenceMs(name, nowMs) < nobodyHeardMs) || nowMs - sentMs >= helloEveryMs;
  }

  function describe(service: Service, own: string): string {
    const nowMs = clock.nowMs();
    if (service.outUntilMs <= nowMs) return own;
    const minutes = Math.ceil((service.outUntilMs - nowMs) / 60_000);
    const meanwhile = anotherWorks(service.path, nowMs)
      ? `tried again in ${minutes} min`
      : "used all the same while no other path works";
    return `taken out: ${service.outBecause}; ${meanwhile} (${own})`;
  }

  function guard(path: string, transport: Transport): Transport {
    const service = { path, sentMs: Number.NEGATIVE_INFINITY, outUntilMs: 0, outForMs: 0, outBecause: "" };
    services.set(path, service);
    const safe = guardedTransport(transport, {
      meter,
      name: path,
      nowMs: () => clock.nowMs(),
      misbehaved: (what) =>
        parts.record(`the transport of path ${path} ${what}`, { code: "PLUGIN_MISBEHAVES", path }),
    });
    return {
      ...safe,
      send(frame) {
        const nowMs = clock.nowMs();
        if (service.outUntilMs > nowMs && !isNeeded(service, nowMs)) return;
        service.sentMs = nowMs;
        safe.send(frame);
      },
      describe: () => describe(service, safe.describe()),
    };
  }

  function takeOut(service: Service, because: string, nowMs: number): number {
    const { path } = service;
    service.outForMs = Math.min(longestOutMs, service.outForMs === 0 ? firstOutMs : service.outForMs * 2);
    service.outUntilMs = nowMs + service.outForMs;
    service.outBecause = because;
    const minutes = service.outForMs / 60_000;
    const what = `path ${path} is taken out of service for ${minutes} min, because its transport holds up the others`;
    parts.record(`${what}: ${because}`, { code: "PLUGIN_BLOCKS", path });
    return service.outForMs;
  }

  const transports = given.map((named) =>
    named.transport === undefined ? named : { ...named, transport: guard(named.name, named.transport) },
  );
  return {
    transports,
    heard: (path) => void heardMs.set(path, clock.nowMs()),
    longCall(call) {
      const service = services.get(call.plugin);
      if (service === undefined || !call.overdrawn || given.length < 2) return undefined;
      const nowMs = clock.nowMs();
      return service.outUntilMs <= nowMs ? takeOut(service, longCallText(call), nowMs) : undefined;
    },
  };
}
