/**
 * `npm run simulate -- --seeds N --from S` plays as many seeds as asked on all cores, with progress; `--seed X --trace`
 * plays one and prints what happened, `--shrink` only the faults that matter.
 */

import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import { describeFault, makePlan, makeProtectedPlan, type Plan } from "./plan.js";
import { type Outcome, runPlan, shrinkPlan } from "./run-plan.js";

export interface Failure {
  readonly seed: number;
  readonly checker: string;
  readonly what: string;
}

export interface Sweep {
  readonly played: number;
  readonly simulatedMs: number;
  readonly failures: readonly Failure[];
}

type Report =
  | { readonly type: "played"; readonly simulatedMs: number; readonly failure: Failure | undefined }
  | { readonly type: "idle" };

interface SeedsToPlay {
  readonly from: number;
  readonly count: number;
  readonly protectors: boolean;
}

function planOf(seed: number, protectors: boolean): Plan {
  return protectors ? makeProtectedPlan(seed) : makePlan(seed);
}

/** Seeds are handed out a few at a time, so that no core waits for a slow one. */
const seedsAtATime = 20;

/** Plays seeds `from` to `from + count - 1` and gathers the first few that fail. */
export function sweep(
  from: number,
  count: number,
  options: {
    readonly threads?: number;
    readonly stopAfter?: number;
    /** Of pairs with arbiters and fences. */
    readonly protectors?: boolean;
    readonly progress?: (played: number, failures: number) => void;
  } = {},
): Promise<Sweep> {
  const { threads = availableParallelism(), stopAfter = 10, protectors = false, progress } = options;
  const failures: Failure[] = [];
  let next = from;
  let played = 0;
  let simulatedMs = 0;
  const work = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const worker = new Worker(fileURLToPath(import.meta.url), { workerData: "seeds" });
      const give = () => {
        if (next >= from + count || failures.length >= stopAfter) {
          void worker.terminate().then(() => resolve());
          return;
        }
        const some = Math.min(seedsAtATime, from + count - next);
        worker.postMessage({ from: next, count: some, protectors } satisfies SeedsToPlay);
        next += seedsAtATime;
      };
      worker.on("message", (report: Report) => {
        if (report.type === "idle") {
          give();
          return;
        }
        played += 1;
        simulatedMs += report.simulatedMs;
        if (report.failure !== undefined) failures.push(report.failure);
        progress?.(played, failures.length);
      });
      worker.once("error", reject);
    });
  return Promise.all(Array.from({ length: Math.max(1, threads) }, work)).then(() => ({
    played,
    simulatedMs,
    failures: failures.sort((left, right) => left.seed - right.seed),
  }));
}

function failureOf({ plan, violation }: Outcome): Failure | undefined {
  return violation === undefined
    ? undefined
    : { seed: plan.seed, checker: violation.checker, what: violation.what };
}

function workOnSeeds(port: NonNullable<typeof parentPort>): void {
  const say = (report: Report) => port.postMessage(report);
  port.on("message", ({ from, count, protectors }: SeedsToPlay) => {
    for (let seed = from; seed < from + count; seed += 1) {
      const outcome = runPlan(planOf(seed, protectors));
      say({ type: "played", simulatedMs: outcome.simulatedMs, failure: failureOf(outcome) });
    }
    say({ type: "idle" });
  });
  say({ type: "idle" });
}

interface PlayOptions {
  readonly trace: boolean;
  readonly shrink: boolean;
  readonly protectors: boolean;
}

function playOne(seed: number, options: PlayOptions): boolean {
  const made = planOf(seed, options.protectors);
  const plan = options.shrink ? shrinkPlan(made) : made;
  const outcome = runPlan(plan);
  if (options.trace)
    for (const { atMs, who, what } of outcome.trace)
      console.log(`${atMs.toFixed(2).padStart(10)} ${who.padEnd(9)} ${what}`);
  console.log(
    `seed ${seed}: ${plan.paths.map(({ name }) => name).join(" and ")}, ${JSON.stringify(plan.settings)}`,
  );
  for (const fault of plan.faults) console.log(`  ${describeFault(fault)}`);
  const { violation } = outcome;
  console.log(
    violation === undefined
      ? "every checker is content"
      : `FAILED at ${violation.atMs.toFixed(2)} ms: ${violation.what}`,
  );
  return violation === undefined;
}

/** The one command that plays a failing seed again. */
export function replayCommand(seed: number, protectors = false): string {
  return `npm run simulate -- --seed ${seed}${protectors ? " --protectors" : ""} --trace`;
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      seeds: { type: "string", default: "1000" },
      from: { type: "string", default: "1" },
      seed: { type: "string" },
      threads: { type: "string" },
      trace: { type: "boolean", default: false },
      shrink: { type: "boolean", default: false },
      protectors: { type: "boolean", default: false },
    },
  });
  if (values.seed !== undefined) {
    process.exitCode = playOne(Number(values.seed), values) ? 0 : 1;
    return;
  }
  const startedMs = performance.now();
  const count = Number(values.seeds);
  const result = await sweep(Number(values.from), count, {
    protectors: values.protectors,
    ...(values.threads === undefined ? {} : { threads: Number(values.threads) }),
    progress: (played, failures) => {
      if (played % 100 === 0) console.error(`${played} of ${count} seeds, ${failures} failed`);
    },
  });
  const seconds = (performance.now() - startedMs) / 1000;
  const hours = result.simulatedMs / 3_600_000;
  console.log(
    `${result.played} seeds, ${hours.toFixed(1)} simulated hours in ${seconds.toFixed(0)} s, ${result.failures.length} failed`,
  );
  for (const { seed, what } of result.failures)
    console.log(`\nseed ${seed}: ${what}\n  ${replayCommand(seed, values.protectors)}`);
  process.exitCode = result.failures.length === 0 ? 0 : 1;
}

if (!isMainThread && workerData === "seeds" && parentPort !== null) workOnSeeds(parentPort);
else if (isMainThread && process.argv[1] === fileURLToPath(import.meta.url)) await main();
