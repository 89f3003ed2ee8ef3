/**
 * Measures how long calls into plugins hold the thread, and tells a plugin that blocks from a machine that was busy. The
 * contract allows a millisecond a call; what is over it and proven to be the plugin's own is a debt that fades slowly.
 *
 * A look at the clock on both sides of a call costs 0.1 µs. What the thread did meanwhile costs some 5 µs more, so it is
 * only looked at while a plugin is watched, which is for ten minutes after a long call.
 */

/** `unproven`: the first long call of a while, whose beginning was not looked at; it never counts. */
export type Cause = "computed" | "waited" | "unproven";

export interface LongCall {
  readonly plugin: string;
  readonly method: string;
  /** How long it held the thread, without the calls of other plugins within it. */
  readonly ms: number;
  readonly cause: Cause;
  /** The plugin owes more than is borne: see `mostDebtMs`. */
  readonly overdrawn: boolean;
}

/** Of this thread, since its start. */
export interface ThreadLook {
  /** Milliseconds on a processor. */
  readonly cpuMs: number;
  /** How often it gave the processor up to wait for something. The system counts it for the whole process. */
  readonly waits: number;
}

export interface MeterParts {
  nowMs(): number;
  /** Undefined where the system does not say. */
  look(): ThreadLook | undefined;
  longCall(call: LongCall): void;
}

export interface CallMeter {
  /** Does the call and gives what it gives; what it throws is thrown. */
  call<T>(plugin: string, method: string, work: () => T): T;
  /** The last that took longer than it may, whoever was to blame: what a stall of the loop is attributed to. */
  readonly lastLong: EndedCall | undefined;
}

export interface EndedCall {
  readonly plugin: string;
  readonly method: string;
  readonly endMs: number;
  readonly ms: number;
}

/** Contract: "must return within a millisecond". */
export const callLimitMs = 1;
/** Two calls of 40 ms, or two and a half seconds of calls that take 3 % of the thread: more delays the other paths. */
export const mostDebtMs = 50;
/** Debt that fades in a millisecond: a hundredth of the thread's time is borne. */
const fadesPerMs = 0.01;
const watchedForMs = 600_000;

interface Account {
  debtMs: number;
  atMs: number;
  watchedUntilMs: number;
}

export function createCallMeter(parts: MeterParts): CallMeter {
  const accounts = new Map<string, Account>();
  let withinMs = 0;
  let lastLong: EndedCall | undefined;

  function accountOf(plugin: string): Account {
    const found = accounts.get(plugin);
    if (found !== undefined) return found;
    const made = { debtMs: 0, atMs: 0, watchedUntilMs: Number.NEGATIVE_INFINITY };
    accounts.set(plugin, made);
    return made;
  }

  function judge(
    account: Account,
    call: Omit<LongCall, "cause" | "overdrawn">,
    before: ThreadLook | undefined,
  ): void {
    const nowMs = parts.nowMs();
    account.watchedUntilMs = nowMs + watchedForMs;
    const cause = causeOf(call.ms, before, before === undefined ? undefined : parts.look());
    // Whoever was kept from the processor by others is no offender.
    if (cause === undefined) return;
    account.debtMs = Math.max(0, account.debtMs - (nowMs - account.atMs) * fadesPerMs);
    account.atMs = nowMs;
    if (cause !== "unproven") account.debtMs += call.ms - callLimitMs;
    parts.longCall({ ...call, cause, overdrawn: account.debtMs > mostDebtMs });
  }

  return {
    call(plugin, method, work) {
      const account = accountOf(plugin);
      const outerMs = withinMs;
      withinMs = 0;
      const startMs = parts.nowMs();
      const before = startMs < account.watchedUntilMs ? parts.look() : undefined;
      try {
        return work();
      } finally {
        const endMs = parts.nowMs();
        const allMs = endMs - startMs;
        const ms = allMs - withinMs;
        withinMs = outerMs + allMs;
        if (ms > callLimitMs) {
          lastLong = { plugin, method, endMs, ms };
          judge(account, { plugin, method, ms }, before);
        }
      }
    },
    get lastLong() {
      return lastLong;
    },
  };
}

/** Undefined: it was put off the processor by others, and that is the machine's doing. */
function causeOf(
  ms: number,
  before: ThreadLook | undefined,
  after: ThreadLook | undefined,
): Cause | undefined {
  if (before === undefined || after === undefined) return "unproven";
  if (after.cpuMs - before.cpuMs > ms / 2) return "computed";
  return after.waits > before.waits ? "waited" : undefined;
}

/** Of the thread that calls it. */
export function lookAtThread(): ThreadLook | undefined {
  try {
    const { user, system } = process.threadCpuUsage();
    return { cpuMs: (user + system) / 1000, waits: process.resourceUsage().voluntaryContextSwitches };
  } catch {
    // Not every system tells the time of a thread.
    return undefined;
  }
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
