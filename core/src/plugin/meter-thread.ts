/**
 * The call meter wired to the thread that it runs in: the processor's clock and the engine's collections. Every process that
 * measures its plugins takes it from here, so that all of them look at the same.
 */

import { type Borne, type CallMeter, createCallMeter, type LongCall } from "./call-meter.js";
import { watchCollections } from "./collections.js";
import { delayedMs, lookAtThread } from "./thread-look.js";

export interface ThreadMeterParts {
  readonly borne: Borne;
  nowMs(): number;
  longCall(call: LongCall): void;
}

export interface ThreadMeter {
  readonly meter: CallMeter;
  stop(): void;
}

export function meterThread({ borne, nowMs, longCall }: ThreadMeterParts): ThreadMeter {
  const collections = watchCollections(nowMs);
  return {
    meter: createCallMeter({
      borne,
      nowMs,
      look: lookAtThread,
      delayedMs,
      collected: collections.within,
      longCall,
    }),
    stop: () => collections.stop(),
  };
}
