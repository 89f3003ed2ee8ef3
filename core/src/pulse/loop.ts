/**
 * The event loop around the decision core: one queue of events, one timer, and silence judged only after a poll pass over
 * every socket that delivered nothing (rule R10).
 *
 * libuv runs timers before it reads sockets, so a timer that fires after a stall sees silence where frames are waiting.
 * A wake therefore only ticks; the sockets are read in the poll phase that follows, and what `setImmediate` runs after
 * it may judge, if nothing came.
 */

import type { Action } from "../failover/action.js";
import type { Event } from "../failover/event.js";
import type { State } from "../failover/state.js";
import { step } from "../failover/step.js";
import type { Clock } from "../plugin/tokens.js";
import type { Happening } from "./happening.js";

export interface LoopParts {
  readonly initial: State;
  readonly clock: Clock;
  perform(action: Action, atMs: number): void;
  /** Frames that have arrived so far, also those that told nothing. */
  delivered(): number;
  /** Reads the sockets that libuv does not know. */
  drain(): void;
  /** After every event, its actions performed. */
  stepped(event: Event, actions: readonly Action[], state: State): void;
  /** After every poll pass that was judged: the loop is alive. */
  judged(atMs: number): void;
}

export interface Loop {
  readonly state: State;
  tell(happening: Happening): void;
  /** No event counts any more. */
  end(): void;
}

/** A pass that took longer may have missed what came meanwhile. */
const slowPassMs = 2;
/**
 * A flood of frames must not keep silence from being judged. One pass reads 32 datagrams of each socket, and a receive
 * buffer of the usual 208 KiB holds fewer than 280: after twenty passes all has been read that waited at the wake.
 */
const mostPasses = 20;

export function createLoop(parts: LoopParts): Loop {
  const { clock } = parts;
  const queue: Happening[] = [];
  let { initial: state } = parts;
  let atMs = 0;
  let wakeAtMs = Infinity;
  let told = 0;
  let stepping = false;
  let passing = false;
  let ended = false;
  let timer: NodeJS.Timeout | undefined;
  let timerForMs = Infinity;

  function tell(happening: Happening): void {
    told += 1;
    if (ended) return;
    queue.push(happening);
    // What an action causes at once waits until the actions before it are done.
    if (stepping) return;
    stepping = true;
    try {
      for (let next = queue.shift(); next !== undefined; next = queue.shift()) apply(next);
    } finally {
      stepping = false;
    }
    arm();
  }

  function apply(happening: Happening): void {
    atMs = Math.max(atMs, clock.nowMs());
    const event = { ...happening, atMs } as Event;
    const out = step(state, event);
    state = out.state;
    wakeAtMs = out.wakeAtMs;
    for (const action of out.actions) parts.perform(action, atMs);
    parts.stepped(event, out.actions, state);
  }

  function arm(): void {
    if (passing || ended) return;
    // A timer that fires too early looks and sets itself again, which is cheaper than a new one with every beat.
    if (timer !== undefined && timerForMs <= wakeAtMs) return;
    clearTimeout(timer);
    timer = undefined;
    const nowMs = clock.nowMs();
    const delayMs = wakeAtMs - nowMs;
    if (delayMs < 1 && state.suspicion !== undefined) {
      // A verdict is near and milliseconds are the client's: poll for the rest of this one.
      setImmediate(wake);
      passing = true;
      return;
    }
    timerForMs = wakeAtMs;
    // Timers count whole milliseconds of this very clock: counted from where its current one began, none fires early.
    timer = setTimeout(wake, Math.max(1, Math.ceil(wakeAtMs - Math.floor(nowMs))));
  }

  function wake(): void {
    passing = false;
    timer = undefined;
    timerForMs = Infinity;
    if (ended) return;
    if (clock.nowMs() < wakeAtMs) {
      arm();
      return;
    }
    passing = true;
    tell({ type: "tick" });
    pass(1);
  }

  function pass(count: number): void {
    const before = told + parts.delivered();
    const startedMs = clock.nowMs();
    setImmediate(() => {
      if (ended) return;
      parts.drain();
      const quiet = told + parts.delivered() === before && clock.nowMs() - startedMs < slowPassMs;
      if (!quiet && count < mostPasses) {
        pass(count + 1);
        return;
      }
      passing = false;
      tell({ type: "polled" });
      parts.judged(atMs);
    });
  }

  return {
    get state() {
      return state;
    },
    tell,
    end() {
      ended = true;
      clearTimeout(timer);
    },
  };
}
