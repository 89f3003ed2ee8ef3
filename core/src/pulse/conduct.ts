/**
 * Watches how the plugins in pulse behave: every call into a transport or an address backend is measured, and who holds
 * the others up is named in timeline and log. Transports can be done without for a while, address backends cannot.
 */

import { createCallMeter, type LongCall, lookAtThread, measured } from "../plugin/call-meter.js";
import type { Clock, Log } from "../plugin/tokens.js";
import type { NamedBackend } from "./address-chain.js";
import { guardTransports, longCallText } from "./guarded-transports.js";
import type { NamedTransport } from "./paths.js";
import type { PulseTimeline } from "./timeline.js";

export interface ConductParts {
  readonly transports: readonly NamedTransport[];
  readonly address: readonly NamedBackend[];
  readonly clock: Clock;
  readonly log: Log;
  readonly timeline: Pick<PulseTimeline, "record">;
  /** How long after a fresh beat a path still counts as one that works. */
  worksWithinMs(path: string): number;
}

export interface Conduct {
  /** To be used in place of the given ones. */
  readonly transports: readonly NamedTransport[];
  readonly address: readonly NamedBackend[];
  /** A fresh beat came on this path. */
  heard(path: string): void;
}

const sayAgainMs = 60_000;
/** Shorter calls are felt by nobody, and only their sum is of interest. */
const worthSayingMs = 5;
const backendPrefix = "address backend ";

export function createConduct(parts: ConductParts): Conduct {
  const { clock, log, timeline } = parts;
  const saidMs = new Map<string, number>();

  /** Once a minute for each sort of news about each plugin. */
  function isNews(what: string): boolean {
    const nowMs = clock.nowMs();
    if (nowMs - (saidMs.get(what) ?? Number.NEGATIVE_INFINITY) < sayAgainMs) return false;
    saidMs.set(what, nowMs);
    return true;
  }

  function longCall(call: LongCall): void {
    const { plugin, cause, ms, overdrawn } = call;
    guarded.longCall(call);
    const proven = cause !== "unproven";
    if (proven && ms >= worthSayingMs && isNews(`${plugin} long`))
      log.warn({ plugin, call: longCallText(call), code: "PLUGIN_BLOCKS" }, "a plugin holds pulse up");
    if (!overdrawn || !plugin.startsWith(backendPrefix) || !isNews(`${plugin} overdrawn`)) return;
    const what = `${plugin} holds up the beats: ${longCallText(call)}`;
    timeline.record(clock.nowMs(), "plugin", what, [], { code: "PLUGIN_BLOCKS" });
  }

  const meter = createCallMeter({ nowMs: () => clock.nowMs(), look: lookAtThread, longCall });
  const guarded = guardTransports(parts.transports, {
    meter,
    clock,
    worksWithinMs: parts.worksWithinMs,
    record: (what, details) => timeline.record(clock.nowMs(), "plugin", what, [], details),
  });
  return {
    transports: guarded.transports,
    address: parts.address.map(({ name, backend }) => ({
      name,
      backend: measured(meter, `${backendPrefix}${name}`, backend),
    })),
    heard: guarded.heard,
  };
}
