/**
 * Measures how long calls into plugins hold the thread, and tells a plugin that blocks from a machine that was busy and an
 * engine that collected garbage. What is over the time a call may take is a debt that fades slowly.
 *
 * A look at the clock on both sides of a call costs 0.1 µs. How long the thread was kept from the processor costs some 5 µs
 * and is looked at every ten milliseconds: enough to see that a call was long by the machine's doing. What the thread did
 * in a call costs some 15 µs twice, so it is only looked at while a plugin is watched, for ten minutes after a long call.
 */

import type { ThreadLook } from "./thread-look.js";

/** `unproven`: the first long call of a while, whose beginning was not looked at. It is no offence, but is remembered. */
export type Cause = "computed" | "waited" | "unproven";

export interface LongCall {
  readonly plugin: string;
  readonly method: string;
  /** How long it held the thread, without the calls of other plugins within it. */
  readonly ms: number;
  readonly cause: Cause;
  /** False: the system does not say for how long the thread was kept from the processor, and that may be part of `ms`. */
  readonly delayKnown: boolean;
  /** The plugin owes more than is borne: see `Borne`. */
  readonly overdrawn: boolean;
}

/** How much of the thread a plugin may take. */
export interface Borne {
  /** A call that takes longer counts. */
  readonly callMs: number;
  /** Owing more is too much, and so is a second call of so long within ten minutes. */
  readonly debtMs: number;
  /** This share of the thread's time is borne for ever. */
  readonly share: number;
}

/** Contract: "must return within a millisecond". Two calls of 40 ms, or 3 % of the thread, delay the other paths. */
export const borneInPulse: Borne = { callMs: 1, debtMs: 50, share: 0.01 };
/** Nobody waits for node as beats do, and starting a program takes it some milliseconds: see `stallMs` for what is felt. */
export const borneInNode: Borne = { callMs: 10, debtMs: 500, share: 0.05 };

export interface MeterParts {
  readonly borne: Borne;
  nowMs(): number;
  /** Undefined where the system does not say. */
  look(): ThreadLook | undefined;
  /** The same alone as in a look. */
  delayedMs(): number | undefined;
  /** See Collections. */
  collected(sinceMs: number, untilMs: number, tell: (ms: number) => void): void;
  longCall(call: LongCall): void;
}

export interface CallMeter {
  /** Does the call and gives what it gives; what it throws is thrown. */
  call<T>(plugin: string, method: string, work: () => T): T;
  /** The last that held the thread for longer than it may: what a stall of the loop is attributed to. */
  readonly lastLong: EndedCall | undefined;
}

export interface EndedCall {
  readonly plugin: string;
  readonly method: string;
  readonly endMs: number;
  readonly ms: number;
}

/** Calls that begin so soon after a glance share it. What the machine took in between counts for them, never against them. */
const glanceEveryMs = 10;
const watchedForMs = 600_000;
/** Nothing waits for a plugin that starts or stops. */
const takesItsTime: readonly string[] = ["start", "stop"];

interface Account {
  debtMs: number;
  atMs: number;
  /** When a call took more than may be owed at all. */
  longestAtMs: number;
  watchedUntilMs: number;
}

interface Measured {
  readonly plugin: string;
  readonly method: string;
  readonly startMs: number;
  readonly endMs: number;
  /** Without the calls within it. */
  readonly ms: number;
  /** By the glance before it at the earliest: of what it took no more than this is the machine's. */
  readonly delayedMs: number;
  /** Undefined: it was not watched. */
  readonly before: ThreadLook | undefined;
  readonly after: ThreadLook | undefined;
}

export function createCallMeter(parts: MeterParts): CallMeter {
  const { borne } = parts;
  const accounts = new Map<string, Account>();
  let withinMs = 0;
  let lastLong: EndedCall | undefined;
  let delayedMs: number | undefined;
  let glancedMs = Number.NEGATIVE_INFINITY;

  function accountOf(plugin: string): Account {
    const found = accounts.get(plugin);
    if (found !== undefined) return found;
    const never = Number.NEGATIVE_INFINITY;
    const made = { debtMs: 0, atMs: 0, longestAtMs: never, watchedUntilMs: never };
    accounts.set(plugin, made);
    return made;
  }

  function glance(atMs: number): number | undefined {
    if (atMs - glancedMs < glanceEveryMs) return delayedMs;
    delayedMs = parts.delayedMs();
    glancedMs = atMs;
    return delayedMs;
  }

  /** Too much for a single call is not yet too much: a machine may have been stopped without anyone inside noticing. */
  function isOverdrawn(account: Account, { ms, cause }: Held): boolean {
    const nowMs = parts.nowMs();
    const again = ms > borne.debtMs && nowMs - account.longestAtMs < watchedForMs;
    if (ms > borne.debtMs) account.longestAtMs = nowMs;
    if (cause === "unproven") return false;
    const left = Math.max(0, account.debtMs - (nowMs - account.atMs) * borne.share);
    account.debtMs = left + Math.min(ms - borne.callMs, borne.debtMs);
    account.atMs = nowMs;
    return again || account.debtMs > borne.debtMs;
  }

  function settle(call: Measured, collectedMs: number): void {
    const held = heldBy(call, collectedMs);
    if (held === undefined || held.ms <= borne.callMs) return;
    const { plugin, method } = call;
    const overdrawn = !takesItsTime.includes(method) && isOverdrawn(accountOf(plugin), held);
    parts.longCall({ plugin, method, ...held, delayKnown: delayedMs !== undefined, overdrawn });
  }

  function ended(call: Measured): void {
    const held = heldBy(call, 0);
    if (held === undefined || held.ms <= borne.callMs) return;
    const { plugin, method, startMs, endMs } = call;
    accountOf(plugin).watchedUntilMs = endMs + watchedForMs;
    lastLong = { plugin, method, endMs, ms: held.ms };
    parts.collected(startMs, endMs, (collectedMs) => settle(call, collectedMs));
  }

  return {
    call(plugin, method, work) {
      const outerMs = withinMs;
      withinMs = 0;
      const startMs = parts.nowMs();
      const delayedBeforeMs = glance(startMs);
      const before = startMs < accountOf(plugin).watchedUntilMs ? parts.look() : undefined;
      try {
        return work();
      } finally {
        const endMs = parts.nowMs();
        const allMs = endMs - startMs;
        const ms = allMs - withinMs;
        withinMs = outerMs + allMs;
        if (ms > borne.callMs) {
          const after = before === undefined ? undefined : parts.look();
          const grownMs = (parts.delayedMs() ?? 0) - (delayedBeforeMs ?? 0);
          ended({ plugin, method, startMs, endMs, ms, delayedMs: grownMs, before, after });
        }
      }
    },
    get lastLong() {
      return lastLong;
    },
  };
}

interface Held {
  readonly ms: number;
  readonly cause: Cause;
}

/**
 * How long the plugin itself held the thread, and by what. Undefined: it was put off the processor by others, and that is
 * the machine's doing.
 */
function heldBy({ ms, delayedMs: mostMs, before, after }: Measured, collectedMs: number): Held | undefined {
  if (before === undefined || after === undefined)
    return { ms: ms - mostMs - collectedMs, cause: "unproven" };
  const delayedMs = (after.delayedMs ?? 0) - (before.delayedMs ?? 0);
  const heldMs = ms - delayedMs - collectedMs;
  const cpuMs = Math.min(heldMs, after.cpuMs - before.cpuMs - collectedMs);
  const waited = after.waits > before.waits;
  if (cpuMs > heldMs / 2) return { ms: waited ? heldMs : cpuMs, cause: "computed" };
  // A thread that neither computed nor waited was stopped together with its machine.
  return waited ? { ms: heldMs, cause: "waited" } : undefined;
}

/**
 * The same plugin with its methods measured, of an object or of a class. What they give and throw stays as it is; of a
 * method that gives a promise only the part before it is measured.
 */
export function measured<T extends object>(meter: CallMeter, name: string, plugin: T): T {
  const methods = new Map<string, PropertyDescriptor>();
  for (
    let at: object | null = plugin;
    at !== null && at !== Object.prototype;
    at = Object.getPrototypeOf(at)
  ) {
    for (const key of Object.getOwnPropertyNames(at)) {
      const method: unknown = Reflect.getOwnPropertyDescriptor(at, key)?.value;
      if (key === "constructor" || methods.has(key) || typeof method !== "function") continue;
      const value = (...args: unknown[]) => meter.call(name, key, () => Reflect.apply(method, plugin, args));
      methods.set(key, { value, enumerable: true });
    }
  }
  return Object.create(plugin, Object.fromEntries(methods));
}
