/**
 * One serial path: sends the newest frame whenever the line has room for it, and opens the device again when it went
 * away. Nothing queues: at most one frame is on its way, and at most one, the newest, waits.
 */

import type { Log, Side, Transport } from "@understudy/core/public";
import { createDecoder, longestFrame } from "./frames.js";
import { createLineQuality } from "./line-quality.js";
import { shortestIntervalMs } from "./line-rate.js";
import type { OpenPort, Port } from "./port.js";
import { createSender } from "./sender.js";

export interface Line {
  readonly device: string;
  readonly baud: number;
  readonly side: Side;
}

const firstRetryMs = 50;
const longestRetryMs = 1000;
const lookEveryMs = 1000;
/** How long "another program changed the settings" is shown. */
const intruderShownMs = 10_000;
/** A device that has not answered by then is waited for in the background. */
const startWaitsMs = 1000;
const leastSilenceMs = 3000;

export function serialTransport({ device, baud, side }: Line, open: OpenPort, log: Log): Transport {
  const out = createSender(baud, () => lose("it sends nothing"));
  const quality = createLineQuality(Math.max(leastSilenceMs, 10 * shortestIntervalMs(baud)));
  let receive: ((frame: Uint8Array) => void) | undefined;
  let port: Port | undefined;
  let down = "not started";
  let said: string | undefined;
  let stopped = false;
  let retryMs = firstRetryMs;
  let retry: NodeJS.Timeout | undefined;
  let look: NodeJS.Timeout | undefined;
  let intruderUntilMs = -Infinity;
  let closing: Promise<void> = Promise.resolve();
  let attempt: Promise<void> = Promise.resolve();

  const decode = createDecoder({
    frame(from, frame) {
      if (from === side) return quality.ownFrameHeard(performance.now());
      quality.frameHeard();
      retryMs = firstRetryMs;
      receive?.(frame);
    },
    damaged: () => quality.frameDamaged(),
  });
  const arrived = (bytes: Uint8Array): void => {
    if (stopped) return;
    quality.arrived(bytes, performance.now());
    decode(bytes);
  };

  const troubleNow = (): string | undefined => {
    if (port === undefined) return `down, ${down}`;
    const nowMs = performance.now();
    if (nowMs < intruderUntilMs) {
      return "another program changes its settings: is there a login prompt (getty) on it?";
    }
    return quality.trouble(nowMs);
  };
  /** The same trouble again and again is one line in the log. */
  const sayTrouble = (): void => {
    const trouble = troubleNow();
    if (trouble === said) return;
    if (trouble !== undefined && sameButForTime(trouble, said)) return;
    said = trouble;
    if (trouble === undefined) log.info({ device, baud }, "serial line is well");
    else log.warn({ device, baud, reason: trouble }, "serial line is in trouble");
  };
  const lookAtLine = (): void => {
    if (port?.settingsWereChanged()) intruderUntilMs = performance.now() + intruderShownMs;
    sayTrouble();
  };

  const release = (): void => {
    clearInterval(look);
    out.detach();
    const had = port;
    port = undefined;
    if (had) closing = had.close();
  };
  const lose = (why: string): void => {
    if (stopped || port === undefined) return;
    release();
    tryLater(why);
  };
  const tryLater = (why: string): void => {
    down = why;
    sayTrouble();
    retry = setTimeout(() => {
      attempt = tryOpen();
    }, retryMs);
    retryMs = Math.min(retryMs * 2, longestRetryMs);
  };
  const tryOpen = async (): Promise<void> => {
    await closing;
    let opened: Port | undefined;
    let lostEarly: string | undefined;
    const events = {
      arrived,
      lost(why: string) {
        if (opened === undefined) lostEarly = why;
        else if (opened === port) lose(why);
      },
    };
    const result = await open(device, baud, events);
    if (typeof result === "string") return stopped ? undefined : tryLater(result);
    opened = result;
    if (stopped || lostEarly !== undefined) {
      closing = result.close();
      return stopped ? closing : tryLater(lostEarly ?? "");
    }
    port = result;
    quality.opened(performance.now());
    out.attach(result);
    look = setInterval(lookAtLine, lookEveryMs);
    sayTrouble();
  };
  return {
    async start(callback) {
      receive = callback;
      attempt = tryOpen();
      await Promise.race([attempt, after(startWaitsMs)]);
    },
    send(frame) {
      if (port === undefined || frame.length === 0 || frame.length > longestFrame) return;
      out.send(side, frame);
    },
    async stop() {
      stopped = true;
      receive = undefined;
      clearTimeout(retry);
      release();
      down = "stopped";
      await attempt;
      await closing;
    },
    describe() {
      const trouble = troubleNow();
      const { damagedFrames } = quality;
      const damage = damagedFrames === 0 ? "" : `, ${damagedFrames} damaged frames`;
      const line = `${device} at ${baud} baud${trouble === undefined ? damage : `: ${trouble}`}`;
      return line.length <= 200 ? line : `${line.slice(0, 199)}…`;
    },
  };
}

function sameButForTime(a: string, b: string | undefined): boolean {
  return a.replace(/\d+/g, "") === b?.replace(/\d+/g, "");
}

function after(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms).unref();
  });
}
