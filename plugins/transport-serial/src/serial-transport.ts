/**
 * One serial path: frames out through the sender, bytes in through the decoder, and what is wrong with the line said in
 * status and once in the log.
 */

import type { Log, Side, Transport } from "@understudy/core/public";
import { createDecoder, longestFrame } from "./frames.js";
import { createLineQuality } from "./line-quality.js";
import { shortestIntervalMs } from "./line-rate.js";
import type { OpenPort } from "./port.js";
import { keepOpen } from "./reopening.js";
import { createSender } from "./sender.js";

export interface Line {
  readonly device: string;
  readonly baud: number;
  readonly side: Side;
}

const lookEveryMs = 1000;
const leastSilenceMs = 3000;
/** How long "another program changed the settings" is shown. */
const intruderShownMs = 10_000;
const longestLine = 200;

export function serialTransport({ device, baud, side }: Line, open: OpenPort, log: Log): Transport {
  const quality = createLineQuality(Math.max(leastSilenceMs, 10 * shortestIntervalMs(baud)));
  const sender = createSender(baud, () => line.lose("it sends nothing"));
  let receive: ((frame: Uint8Array) => void) | undefined;
  let down: string | undefined = "not started";
  let said: string | undefined;
  let intruderUntilMs = -Infinity;
  let look: NodeJS.Timeout | undefined;

  const decode = createDecoder({
    frame(from, frame) {
      if (from === side) return quality.ownFrameHeard(performance.now());
      quality.frameHeard();
      line.worked();
      receive?.(frame);
    },
    damaged: () => quality.frameDamaged(),
  });
  const line = keepOpen(device, baud, open, {
    opened(port) {
      down = undefined;
      quality.opened(performance.now());
      sender.attach(port);
      look = setInterval(() => {
        if (port.settingsWereChanged()) intruderUntilMs = performance.now() + intruderShownMs;
        sayTrouble();
      }, lookEveryMs);
      sayTrouble();
    },
    arrived(bytes) {
      quality.arrived(bytes, performance.now());
      decode(bytes);
    },
    down(why) {
      down = why;
      sender.detach();
      clearInterval(look);
      sayTrouble();
    },
  });

  function trouble(): string | undefined {
    if (down !== undefined) return `down, ${down}`;
    const nowMs = performance.now();
    if (nowMs >= intruderUntilMs) return quality.trouble(nowMs);
    return "another program changes its settings: is there a login prompt (getty) on it?";
  }

  /** The same trouble again and again, longer and longer, is one line in the log. */
  function sayTrouble(): void {
    const now = trouble();
    const kind = now?.replace(/\d+/g, "");
    if (kind === said) return;
    said = kind;
    if (now === undefined) log.info({ device, baud }, "serial line is open and well");
    else log.warn({ device, baud, reason: now }, "serial line is in trouble");
  }

  return {
    async start(callback) {
      receive = callback;
      down = "it has not answered yet";
      said = "";
      await line.start();
    },
    send(frame) {
      if (frame.length >= 1 && frame.length <= longestFrame) sender.send(side, frame);
    },
    async stop() {
      receive = undefined;
      sender.detach();
      clearInterval(look);
      down = "stopped";
      await line.stop();
    },
    describe() {
      const wrong = trouble();
      const text = `${device} at ${baud} baud${wrong === undefined ? damage(quality.damagedFrames) : `: ${wrong}`}`;
      return text.length <= longestLine ? text : `${text.slice(0, longestLine - 1)}…`;
    },
  };
}

function damage(frames: number): string {
  if (frames === 0) return "";
  return frames === 1 ? ", 1 damaged frame" : `, ${frames} damaged frames`;
}
