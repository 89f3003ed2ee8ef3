/**
 * One service: what it was asked to do, what it does, how it is. Owns the deadlines of its calls, its health and the
 * retries of what failed; never has two of `start`, `promote`, `demote` and `stop` under way at once.
 */

import type { ServiceStatus } from "../ipc/control.js";
import type { Service, ServiceHealth } from "../plugin/contract.js";
import { startPlugin, stopPlugin } from "../plugin/start-stop.js";
import type { Log } from "../plugin/tokens.js";
import { atMost, bounded } from "./bounded.js";

export interface ServiceUnit {
  readonly name: string;
  /** Prepares the service; what fails is tried again in the background. */
  start(): Promise<void>;
  /** Settles with the reason why it does not serve, undefined when it does. */
  promote(epoch: number): Promise<string | undefined>;
  demote(): Promise<string | undefined>;
  /** Whether it does what is wanted of it now (rule R27). */
  readonly ok: boolean;
  status(): ServiceStatus;
  stop(): Promise<void>;
}

export interface ServiceUnitOptions {
  readonly name: string;
  readonly service: Service;
  readonly log: Log;
  /** Called when `ok` or the status may have changed. */
  changed(): void;
  /** For tests; the defaults are those of the contract. */
  readonly limits?: Partial<ServiceLimits>;
}

export interface ServiceLimits {
  readonly startMs: number;
  readonly promoteMs: number;
  readonly demoteMs: number;
  readonly healthEveryMs: number;
  readonly healthMs: number;
  readonly stopMs: number;
  readonly firstRetryMs: number;
  readonly lastRetryMs: number;
}

/** Deadlines from the plugin contract; a broker may take long to come up, so `promote` has half a minute. */
const defaultLimits: ServiceLimits = {
  startMs: 10_000,
  promoteMs: 30_000,
  demoteMs: 2000,
  healthEveryMs: 1000,
  healthMs: 1000,
  stopMs: 5000,
  firstRetryMs: 500,
  lastRetryMs: 30_000,
};

export function createServiceUnit(options: ServiceUnitOptions): ServiceUnit {
  const { name, service, log, changed } = options;
  const limits = { ...defaultLimits, ...options.limits };
  let started = false;
  let ended = false;
  /** The epoch it shall serve with. */
  let wanted: number | undefined;
  let serving: number | undefined;
  let health: ServiceHealth = "stopped";
  let problem: string | undefined;
  let turn: Promise<unknown> = Promise.resolve();
  let retryTimer: NodeJS.Timeout | undefined;
  let retryMs = limits.firstRetryMs;
  let healthTimer: NodeJS.Timeout | undefined;
  let asking = false;
  let holdsOn = false;

  /** A call that hangs holds the next one back for `patienceMs` only: the address does not wait for it. */
  function inTurn<T>(work: () => Promise<T>, patienceMs: number): Promise<T> {
    const before = turn;
    const mine = (async () => {
      await atMost(before, patienceMs);
      return await work();
    })();
    turn = mine;
    return mine;
  }

  function failed(what: string, trouble: { readonly reason: string; readonly code?: string }): string {
    const { reason, code } = trouble;
    problem = `${what}: ${reason}`;
    log.warn({ service: name, reason, ...(code === undefined ? {} : { code }) }, `a service failed: ${what}`);
    changed();
    retryLater();
    return problem;
  }

  function retryLater(): void {
    if (ended || retryTimer !== undefined) return;
    retryTimer = setTimeout(() => {
      retryTimer = undefined;
      if (wanted !== undefined) void promote(wanted);
      else void (holdsOn ? demote() : start());
    }, retryMs);
    retryMs = Math.min(2 * retryMs, limits.lastRetryMs);
  }

  function forgetRetry(): void {
    clearTimeout(retryTimer);
    retryTimer = undefined;
    retryMs = limits.firstRetryMs;
  }

  async function startNow(): Promise<string | undefined> {
    if (started || ended) return undefined;
    const trouble = await startPlugin(() => service.start(), limits.startMs);
    if (trouble !== undefined) return failed("it did not start", trouble);
    started = true;
    problem = undefined;
    if (wanted === undefined) forgetRetry();
    healthTimer = setInterval(() => void ask(), limits.healthEveryMs);
    await ask();
    return undefined;
  }

  async function start(): Promise<void> {
    await inTurn(startNow, limits.startMs);
  }

  async function promoteNow(epoch: number): Promise<string | undefined> {
    // Overtaken by a demote or a newer epoch while it waited.
    if (ended || wanted !== epoch) return "overtaken by a newer request";
    const trouble = await startNow();
    if (trouble !== undefined) return trouble;
    const result = await bounded(() => service.promote(epoch), limits.promoteMs);
    if (wanted !== epoch) {
      // The demote that overtook this call may have come before its effects.
      if (wanted === undefined) void demote();
      return "overtaken by a newer request";
    }
    if (result.kind !== "done") return failed("it does not serve", result);
    serving = epoch;
    problem = undefined;
    health = "healthy";
    forgetRetry();
    changed();
    void ask();
    return undefined;
  }

  function promote(epoch: number): Promise<string | undefined> {
    wanted = epoch;
    return inTurn(() => promoteNow(epoch), limits.promoteMs);
  }

  async function demoteNow(): Promise<string | undefined> {
    if (!started) return undefined;
    const result = await bounded(() => service.demote(), limits.demoteMs);
    serving = undefined;
    holdsOn = result.kind !== "done";
    if (result.kind !== "done") return failed("it did not let go", result);
    problem = undefined;
    forgetRetry();
    changed();
    void ask();
    return undefined;
  }

  function demote(): Promise<string | undefined> {
    wanted = undefined;
    clearTimeout(retryTimer);
    retryTimer = undefined;
    return inTurn(demoteNow, limits.demoteMs);
  }

  async function ask(): Promise<void> {
    if (asking || ended) return;
    asking = true;
    const result = await bounded(() => service.health(), limits.healthMs);
    asking = false;
    const heard = result.kind === "done" ? result.value : "failing";
    if (heard === health) return;
    health = heard;
    changed();
  }

  return {
    name,
    start,
    promote,
    demote,
    get ok() {
      if (!started) return false;
      if (wanted === undefined) return health !== "failing";
      // On its way: judged once it had its time.
      if (serving === undefined) return problem === undefined;
      return problem === undefined && health === "healthy";
    },
    status: () => ({
      name,
      description: describe(service),
      health: problem === undefined ? health : "failing",
      serving: serving !== undefined,
      problem,
    }),
    async stop() {
      ended = true;
      wanted = undefined;
      forgetRetry();
      clearInterval(healthTimer);
      await inTurn(async () => {
        const trouble = await stopPlugin(() => service.stop(), limits.stopMs);
        if (trouble !== undefined) log.warn({ service: name, ...trouble }, "a service did not stop");
      }, limits.demoteMs);
      serving = undefined;
    },
  };
}

/** A description is for people: a plugin that fails to give one must not take status with it. */
function describe(service: Service): string {
  try {
    return service.describe();
  } catch (error) {
    return `(no description: ${error instanceof Error ? error.message : String(error)})`;
  }
}
