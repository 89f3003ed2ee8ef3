/**
 * A service made of operations on something outside this process: starts and stops that may be repeated, and a question
 * to the world. Owns their order, what a demote cuts short, the adoption of what already runs, and restarts.
 */

import { serviceError } from "../errors/service.js";
import type { Service, ServiceHealth } from "../plugin/contract.js";
import type { Log } from "../plugin/tokens.js";

/** `broken`: neither serving nor properly stopped, or nobody knows. */
export type RunState = "running" | "starting" | "stopped" | "broken";

/** All of them may be repeated: a start of what runs and a stop of what does not succeed. */
export interface ServiceOperations {
  /** Resolves when it serves. Rejects soon after `signal` aborts. `epoch` is undefined for a warm service in standby. */
  start(epoch: number | undefined, signal: AbortSignal): Promise<void>;
  /** Resolves when it is gone, within the two seconds of a demote. */
  stop(): Promise<void>;
  /** Only for warm services: tells the one that runs that this node is active now. */
  promote?(epoch: number, signal: AbortSignal): Promise<void>;
  demote?(): Promise<void>;
  /** Asks the world, within a second. Never rejects. */
  ask(): Promise<RunState>;
}

export interface OperatedServiceOptions {
  /** `warm`: runs on both nodes all the time. `cold`: only where the node is active. */
  readonly mode: "warm" | "cold";
  readonly operations: ServiceOperations;
  readonly log: Log;
  /** One line: what it is. How it is, is added. */
  readonly title: string;
  /**
   * What a killed node process left running is left alone for so long, milliseconds, in case this node is still active
   * and is told so; then it is put into standby.
   */
  readonly adoptMs: number;
  /** Whether it is started again when it should run and does not. */
  readonly restart: boolean;
  /** Milliseconds before the first restart, doubled up to `lastRestartMs`. Defaults 500 and 30000. */
  readonly firstRestartMs?: number;
  readonly lastRestartMs?: number;
}

export interface OperatedService extends Service {
  /** To be called when its end was noticed; otherwise three failed questions in a row tell the same. */
  died(reason: string): void;
}

const failuresBeforeRestart = 3;
/** So long must it have run before a restart counts as a first one again. */
const steadyMs = 60_000;

export function operatedService(options: OperatedServiceOptions): OperatedService {
  const { mode, operations, log } = options;
  const firstRestartMs = options.firstRestartMs ?? 500;
  let wanted: number | undefined;
  let promoted: number | undefined;
  /** It is certain that it is in standby: nothing need be done for a demote. */
  let inStandby = false;
  let begun = false;
  let ended = false;
  let turn: Promise<unknown> = Promise.resolve();
  let busy = 0;
  let cutShort = new AbortController();
  let settleTimer: NodeJS.Timeout | undefined;
  let restartTimer: NodeJS.Timeout | undefined;
  let restartMs = firstRestartMs;
  let restartedAtMs = 0;
  let failures = 0;
  let trouble: string | undefined;

  const shouldRun = () => begun && !ended && (mode === "warm" || wanted !== undefined);

  /** One operation at a time, in the order they were asked for. */
  function inTurn<T>(work: () => Promise<T>): Promise<T> {
    busy += 1;
    const mine = turn.then(work).finally(() => {
      busy -= 1;
    });
    turn = mine.catch(() => undefined);
    return mine;
  }

  async function begin(): Promise<void> {
    begun = true;
    const state = await operations.ask();
    if (state === "running" || state === "starting") {
      log.info({ service: options.title, state }, "a service that runs already is adopted");
      settleTimer = setTimeout(() => void inTurn(settle).catch(noteTrouble), options.adoptMs);
      return;
    }
    if (mode === "warm") {
      await operations.start(undefined, cutShort.signal);
      inStandby = true;
    } else if (state === "broken") await toStandby();
    trouble = undefined;
  }

  /** Adopted, and in all that time nobody said that this node is active. */
  async function settle(): Promise<void> {
    if (wanted === undefined && !ended) await toStandby();
  }

  async function toStandby(): Promise<void> {
    promoted = undefined;
    if (inStandby && (mode === "warm" || (await operations.ask()) === "stopped")) return;
    await (mode === "cold" ? operations.stop() : operations.demote?.());
    inStandby = true;
    trouble = undefined;
  }

  async function toActive(epoch: number): Promise<void> {
    if (wanted !== epoch || ended) throw overtaken();
    inStandby = false;
    const { signal } = cutShort;
    if ((await operations.ask()) !== "running") {
      promoted = undefined;
      await operations.start(epoch, signal);
    }
    if (promoted !== epoch && mode === "warm") await operations.promote?.(epoch, signal);
    if (signal.aborted) throw overtaken();
    promoted = epoch;
    trouble = undefined;
    failures = 0;
  }

  function overtaken(): Error {
    return serviceError("SERVICE_OVERTAKEN", `${options.title} was told something newer meanwhile`);
  }

  function noteTrouble(error: unknown): void {
    trouble = error instanceof Error ? error.message : String(error);
    log.warn({ service: options.title, error }, "a service is in trouble");
  }

  function restartLater(reason: string): void {
    if (!options.restart || !shouldRun() || restartTimer !== undefined) return;
    trouble = reason;
    if (performance.now() - restartedAtMs > steadyMs) restartMs = firstRestartMs;
    log.warn({ service: options.title, reason, inMs: restartMs }, "a service will be started again");
    restartTimer = setTimeout(() => {
      restartTimer = undefined;
      void inTurn(restartNow).catch((error) => {
        noteTrouble(error);
        restartLater(trouble ?? reason);
      });
    }, restartMs);
    restartMs = Math.min(2 * restartMs, options.lastRestartMs ?? 30_000);
  }

  async function restartNow(): Promise<void> {
    if (!shouldRun() || (await operations.ask()) === "running") return;
    failures = 0;
    restartedAtMs = performance.now();
    promoted = undefined;
    // What is broken may hold its port or its lock still.
    await operations.stop().catch(noteTrouble);
    if (wanted !== undefined) await toActive(wanted);
    else if (shouldRun()) await operations.start(undefined, cutShort.signal);
    log.info({ service: options.title }, "a service was started again");
  }

  /** What is under way is cut short, so that a demote need not wait for a start of half a minute. */
  function overtake(): void {
    cutShort.abort();
    cutShort = new AbortController();
    clearTimeout(settleTimer);
    clearTimeout(restartTimer);
    restartTimer = undefined;
    failures = 0;
  }

  function judge(state: RunState): ServiceHealth {
    if (state === "running") {
      failures = 0;
      return "healthy";
    }
    if (!shouldRun()) return "stopped";
    if (state !== "starting" && busy === 0) failures += 1;
    if (failures >= failuresBeforeRestart) restartLater(`it is ${state}`);
    return "failing";
  }

  return {
    start: () => inTurn(begin),
    promote(epoch) {
      begun = true;
      wanted = epoch;
      clearTimeout(settleTimer);
      return inTurn(() => toActive(epoch));
    },
    demote() {
      wanted = undefined;
      overtake();
      return inTurn(toStandby);
    },
    health: async () => judge(await operations.ask()),
    stop() {
      ended = true;
      wanted = undefined;
      overtake();
      return inTurn(async () => {
        promoted = undefined;
        await operations.stop();
      });
    },
    describe() {
      const role = promoted === undefined ? "standby" : `active with epoch ${promoted}`;
      const line = `${options.title}, ${mode}: ${role}${trouble === undefined ? "" : `; ${trouble}`}`;
      return line.replaceAll(/\s+/g, " ").slice(0, 200).trim();
    },
    died: (reason) => restartLater(reason),
  };
}
