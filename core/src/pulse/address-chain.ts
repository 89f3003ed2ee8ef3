/**
 * The address backends as one: acquired in order, undone in reverse, and their reports made events of the decision core.
 * A backend that throws where it must not is logged and does not take the others with it.
 */

import { UnderstudyError } from "../errors/error.js";
import { pluginError } from "../errors/plugins.js";
import type { AddressBackend, AddressReports, ClaimToken, Outcome, Protection } from "../plugin/contract.js";
import { startPlugin, stopPlugin } from "../plugin/start-stop.js";
import type { Log } from "../plugin/tokens.js";
import { inTime } from "./deadline.js";

export interface NamedBackend {
  readonly name: string;
  readonly backend: AddressBackend;
}

export interface Result {
  readonly outcome: Outcome;
  readonly detail: string;
}

export interface AddressChain {
  /** True when a backend can ask the segment who answers for the HA address. */
  readonly canProbe: boolean;
  start(): Promise<void>;
  acquire(epoch: number): Promise<Result>;
  release(): Promise<Result>;
  stop(): Promise<void>;
  renew(): void;
  dropLease(): void;
  armClaims(tokens: readonly ClaimToken[]): void;
  announce(): void;
  probeAddress(): void;
  probeNeighbours(): void;
  drain(): void;
  protections(): readonly Protection[];
  /** One line a backend. */
  describe(): readonly string[];
}

/** Rule R7: a takeover that the kernel has not confirmed by then is `unknown`, which gives the address up again. */
const acquireLimitMs = 1000;
const releaseLimitMs = 1000;
const startLimitMs = 10_000;
const stopLimitMs = 5000;

export function createAddressChain(
  chain: readonly NamedBackend[],
  reports: AddressReports,
  log: Log,
): AddressChain {
  const started: NamedBackend[] = [];
  const complain = createComplaints(log);
  /** A release that begins ends the acquire under way: its later backends are not asked any more. */
  let releases = 0;

  function each(what: string, call: (backend: AddressBackend, name: string) => void): void {
    for (const { name, backend } of chain) {
      try {
        call(backend, name);
      } catch (error) {
        complain(name, what, error);
      }
    }
  }

  async function undo(backends: readonly NamedBackend[]): Promise<Result> {
    let result: Result = { outcome: "confirmed", detail: "" };
    for (const named of backends.toReversed()) {
      const one = await settle(named, "release", releaseLimitMs, (backend) => backend.release());
      if (one.outcome !== "confirmed" && result.outcome !== "unknown") result = one;
    }
    return result;
  }

  return {
    canProbe: chain.some(({ backend }) => backend.probeAddress !== undefined),
    async start() {
      for (const named of chain) {
        // Also one whose start failed is stopped: it may have got half way.
        started.push(named);
        const trouble = await startPlugin(() => named.backend.start(reports), startLimitMs);
        // What a plugin says of itself in our form says more than that it did not start.
        if (trouble?.error instanceof UnderstudyError) throw trouble.error;
        if (trouble !== undefined)
          throw pluginError(trouble.code, `${named.name} could not start: ${trouble.reason}`, {
            cause: trouble.error,
          });
      }
    },
    async acquire(epoch) {
      const releasesBefore = releases;
      const taken: NamedBackend[] = [];
      for (const named of chain) {
        taken.push(named);
        const result = await settle(named, "acquire", acquireLimitMs, (backend) => backend.acquire(epoch));
        if (releases !== releasesBefore)
          return { outcome: "unknown", detail: "it was given up while it was being taken" };
        if (result.outcome === "confirmed") continue;
        const undone = await undo(taken);
        const certain = result.outcome === "refused" && undone.outcome === "confirmed";
        return { outcome: certain ? "refused" : "unknown", detail: result.detail };
      }
      return { outcome: "confirmed", detail: "" };
    },
    release() {
      releases += 1;
      return undo(chain);
    },
    async stop() {
      for (const { name, backend } of started.splice(0).toReversed()) {
        const trouble = await stopPlugin(() => backend.stop(), stopLimitMs);
        if (trouble !== undefined) log.error({ plugin: name, ...trouble }, "an address backend did not stop");
      }
    },
    renew: () => each("renew", (backend) => backend.renew?.()),
    dropLease: () => each("dropLease", (backend) => backend.dropLease?.()),
    armClaims: (tokens) => each("armClaims", (backend) => backend.armClaims?.(tokens)),
    announce: () => each("announce", (backend) => backend.announce?.()),
    probeAddress: () => each("probeAddress", (backend) => backend.probeAddress?.()),
    probeNeighbours: () => each("probeNeighbours", (backend) => backend.probeNeighbours?.()),
    drain: () => each("drain", (backend) => backend.drain?.()),
    protections() {
      const all: Protection[] = [];
      each("protections", (backend) => void all.push(...(backend.protections?.() ?? [])));
      return all;
    },
    describe() {
      const lines: string[] = [];
      each("describe", (backend, name) => void lines.push(`${name}: ${backend.describe()}`));
      return lines;
    },
  };
}

async function settle(
  { name, backend }: NamedBackend,
  what: string,
  limitMs: number,
  call: (backend: AddressBackend) => Promise<Outcome>,
): Promise<Result> {
  try {
    const outcome = await inTime(`${what} of ${name}`, limitMs, () => call(backend));
    return { outcome, detail: outcome === "confirmed" ? "" : `${name}: ${backend.describe()}` };
  } catch (error) {
    return { outcome: "unknown", detail: `${name}: ${(error as Error).message}` };
  }
}

/** One line a second and method at most: these are called with every beat. */
function createComplaints(log: Log): (name: string, what: string, error: unknown) => void {
  const lastMs = new Map<string, number>();
  return (name, what, error) => {
    const nowMs = performance.now();
    if (nowMs - (lastMs.get(`${name} ${what}`) ?? -Infinity) < 1000) return;
    lastMs.set(`${name} ${what}`, nowMs);
    log.error({ plugin: name, method: what, error }, "an address backend threw where it must not");
  };
}
