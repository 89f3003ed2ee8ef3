/**
 * Watches how the plugins in pulse behave: every call into a transport or an address backend is measured, and who holds
 * the others up is named in timeline, log and an alarm. Transports can be done without for a while, backends cannot.
 */

import { borneInPulse, type LongCall, measured } from "../plugin/call-meter.js";
import {
  type BlockedNews,
  createNewsGate,
  holdsUpText,
  longCallText,
  quietForMs,
} from "../plugin/long-call.js";
import { meterThread } from "../plugin/meter-thread.js";
import type { Clock, Log } from "../plugin/tokens.js";
import type { NamedBackend } from "./address-chain.js";
import { guardTransports } from "./guarded-transports.js";
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
  /** For the alarm, at most once a minute for each plugin and whenever a path is taken out. */
  blocked(news: BlockedNews): void;
}

export interface Conduct {
  /** To be used in place of the given ones. */
  readonly transports: readonly NamedTransport[];
  readonly address: readonly NamedBackend[];
  /** A fresh beat came on this path. */
  heard(path: string): void;
  close(): void;
}

/** Shorter calls are felt by nobody, and only their sum is of interest. */
const worthSayingMs = 5;
const backendPrefix = "address backend ";

export function createConduct(parts: ConductParts): Conduct {
  const { clock, log, timeline } = parts;
  const nowMs = () => clock.nowMs();
  const isNews = createNewsGate(nowMs);

  function longCall(call: LongCall): void {
    const { plugin, cause, ms, overdrawn } = call;
    const outForMs = guarded.longCall(call);
    const proven = cause !== "unproven";
    if (proven && ms >= worthSayingMs && isNews(`${plugin} long`))
      log.warn({ plugin, call: longCallText(call), code: "PLUGIN_BLOCKS" }, "a plugin holds pulse up");
    if (!overdrawn) return;
    const backend = plugin.startsWith(backendPrefix);
    if (outForMs !== undefined || isNews(`${plugin} overdrawn`)) {
      const what = holdsUpText("pulse", call);
      if (backend) timeline.record(nowMs(), "plugin", `${plugin} ${what}`, [], { code: "PLUGIN_BLOCKS" });
      const name = backend ? plugin : `the transport of path ${plugin}`;
      parts.blocked({ plugin: name, what, forMs: (outForMs ?? 0) + quietForMs });
    }
  }

  const { meter, stop } = meterThread({ borne: borneInPulse, nowMs, longCall });
  const guarded = guardTransports(parts.transports, {
    meter,
    clock,
    worksWithinMs: parts.worksWithinMs,
    record: (what, details) => timeline.record(nowMs(), "plugin", what, [], details),
  });
  return {
    transports: guarded.transports,
    address: parts.address.map(({ name, backend }) => ({
      name,
      backend: measured(meter, `${backendPrefix}${name}`, backend),
    })),
    heard: guarded.heard,
    close: stop,
  };
}
