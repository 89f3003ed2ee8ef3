/**
 * Measures the calls into the plugins of the node process. Who holds its main thread is named in the log, and, where it is
 * more than is borne, in the alarm that pulse keeps.
 */

import { borneInNode, type CallMeter, type LongCall } from "../plugin/call-meter.js";
import {
  type BlockedNews,
  createNewsGate,
  holdsUpText,
  longCallText,
  quietForMs,
} from "../plugin/long-call.js";
import { meterThread } from "../plugin/meter-thread.js";
import type { Clock, Log } from "../plugin/tokens.js";

export interface Blocking {
  readonly meter: CallMeter;
  /** Who is to hear of it; what happens before is in the log alone. */
  tell(listener: (news: BlockedNews) => void): void;
  stop(): void;
}

/** Nobody waits for node as pulse's beats do; what is shorter is felt by nobody. */
const worthSayingMs = 50;

export function watchBlocking({ clock, log }: { readonly clock: Clock; readonly log: Log }): Blocking {
  const nowMs = () => clock.nowMs();
  const isNews = createNewsGate(nowMs);
  let listener: ((news: BlockedNews) => void) | undefined;

  function longCall(call: LongCall): void {
    const { plugin, ms, overdrawn } = call;
    if (ms >= worthSayingMs && isNews(`${plugin} long`))
      log.warn({ plugin, call: longCallText(call), code: "PLUGIN_BLOCKS" }, "a plugin holds node up");
    if (overdrawn && listener !== undefined && isNews(`${plugin} overdrawn`))
      listener({ plugin: `the ${plugin}`, what: holdsUpText("node", call), forMs: quietForMs });
  }

  const { meter, stop } = meterThread({ borne: borneInNode, nowMs, longCall });
  return {
    meter,
    tell(heard) {
      listener = heard;
    },
    stop,
  };
}
