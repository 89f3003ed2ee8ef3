/**
 * Fires fences for pulse (rule R32) and looks every minute whether they could be fired. Each has an end: what has not
 * confirmed by then has not confirmed, and is not fired again before it has let go.
 */

import type { Fence, Outcome } from "../plugin/contract.js";
import { startPlugin, stopPlugin } from "../plugin/start-stop.js";
import type { Clock, Log } from "../plugin/tokens.js";
import { bounded } from "./bounded.js";
import type { Named } from "./parts.js";
import type { Finished } from "./services.js";

export interface FenceStatus {
  readonly name: string;
  readonly description: string;
  /** Why it could not be used, one sentence. */
  readonly problem: string | undefined;
  readonly last:
    | { readonly outcome: Outcome; readonly detail: string; readonly finishedMsAgo: number }
    | undefined;
  readonly firing: boolean;
}

export interface Fences {
  /** Never rejects. */
  start(): Promise<void>;
  /** Never rejects; one that is under way is waited for and not fired again. */
  fire(name: string): Promise<Finished>;
  statuses(): readonly FenceStatus[];
  stop(): Promise<void>;
}

export interface FenceOptions {
  readonly fences: readonly Named<Fence>[];
  readonly clock: Clock;
  readonly log: Log;
  /** Into the timeline: that a fence could not be used any more, and that it can. */
  record(what: string, details: Readonly<Record<string, unknown>>): void;
  changed(): void;
  /** Default 60000; only for tests. */
  readonly checkEveryMs?: number;
}

const startLimitMs = 10_000;
const fireLimitMs = 120_000;
const checkLimitMs = 30_000;
const stopLimitMs = 5000;
/** A check that was called off may hold the device for a moment. */
const checkEndsMs = 2000;

export function createFences(options: FenceOptions): Fences {
  const posts = options.fences.map((named) => createPost(named, options));
  return {
    start: async () => void (await Promise.all(posts.map((post) => post.start()))),
    async fire(name) {
      const post = posts.find((each) => each.name === name);
      return post === undefined
        ? { outcome: "refused", detail: "there is no such fence" }
        : await post.fire();
    },
    statuses: () => posts.map((post) => post.status()),
    stop: async () => void (await Promise.all(posts.map((post) => post.stop()))),
  };
}

/** A call into the plugin with an end, that remembers whether the plugin has let go. */
interface Call<T> {
  readonly abort: AbortController;
  /** Settles at the deadline at the latest. */
  readonly result: ReturnType<typeof bounded<T>>;
  readonly ended: Promise<void>;
}

function call<T>(work: (signal: AbortSignal) => Promise<T>, limitMs: number): Call<T> {
  const abort = new AbortController();
  const running = (async () => await work(abort.signal))();
  const result = bounded(() => running, limitMs).finally(() => abort.abort());
  return {
    abort,
    result,
    ended: running.then(
      () => {},
      () => {},
    ),
  };
}

function createPost({ name, plugin: fence }: Named<Fence>, options: FenceOptions) {
  const { clock, log } = options;
  let problem: string | undefined;
  let last: { readonly finished: Finished; readonly atMs: number } | undefined;
  let firing: Promise<Finished> | undefined;
  let stuck = false;
  let checking: Call<string | undefined> | undefined;
  let timer: NodeJS.Timeout | undefined;
  let current: AbortController | undefined;

  function notice(found: string | undefined): void {
    const text = found?.replaceAll(/\s+/g, " ").slice(0, 500);
    if (text === problem) return;
    const kept = problem !== undefined && text !== undefined;
    problem = text;
    options.changed();
    if (kept) return;
    const what =
      text === undefined
        ? `the fence ${name} can be used again`
        : `the fence ${name} cannot be used: ${text}`;
    options.record(what, { fence: name, ...(text === undefined ? {} : { problem: text }) });
  }

  async function check(): Promise<void> {
    const look = fence.check?.bind(fence);
    if (look === undefined || firing !== undefined || checking !== undefined || stuck) return;
    const mine = call(look, checkLimitMs);
    checking = mine;
    const result = await mine.result;
    void mine.ended.then(() => {
      checking = undefined;
    });
    // One that was called off for a shot says nothing about the device.
    if (firing !== undefined) return;
    notice(result.kind === "done" ? result.value : `its check failed: ${result.reason}`);
  }

  async function shoot(): Promise<Finished> {
    const look = checking;
    look?.abort.abort();
    if (look !== undefined) await bounded(() => look.ended, checkEndsMs);
    if (stuck)
      return { outcome: "unknown", detail: "it has not ended the attempt before, whose time is over" };
    const shot = call((signal) => fence.fence(signal), fireLimitMs);
    current = shot.abort;
    stuck = true;
    void shot.ended.then(() => {
      stuck = false;
    });
    const result = await shot.result;
    return result.kind === "done" ? readFenced(result.value) : { outcome: "unknown", detail: result.reason };
  }

  return {
    name,
    async start(): Promise<void> {
      const trouble = await startPlugin(() => fence.start(), startLimitMs);
      if (trouble !== undefined) {
        log.error({ fence: name, ...trouble }, "a fence did not start");
        notice(`it did not start: ${trouble.reason}`);
      }
      timer = setInterval(() => void check(), options.checkEveryMs ?? 60_000);
      if (trouble === undefined) void check();
    },
    fire(): Promise<Finished> {
      firing ??= shoot().then((finished) => {
        firing = undefined;
        current = undefined;
        last = { finished, atMs: clock.nowMs() };
        log.warn({ fence: name, ...finished }, "a fence was fired at the other node");
        options.changed();
        return finished;
      });
      return firing;
    },
    status: (): FenceStatus => ({
      name,
      description: describe(fence),
      problem,
      last: last === undefined ? undefined : { ...last.finished, finishedMsAgo: clock.nowMs() - last.atMs },
      firing: firing !== undefined,
    }),
    async stop(): Promise<void> {
      clearInterval(timer);
      checking?.abort.abort();
      current?.abort();
      const trouble = await stopPlugin(() => fence.stop(), stopLimitMs);
      if (trouble !== undefined) log.warn({ fence: name, ...trouble }, "a fence did not stop");
    },
  };
}

/** Only the word itself confirms: whatever else a plugin answers, nobody may rely on it. */
export function readFenced(said: unknown): Finished {
  if (typeof said !== "object" || said === null)
    return { outcome: "unknown", detail: "it answered with nothing" };
  const { outcome, detail } = said as { readonly outcome?: unknown; readonly detail?: unknown };
  const why = typeof detail === "string" ? detail.replaceAll(/\s+/g, " ").slice(0, 500) : "";
  if (outcome === "confirmed" || outcome === "refused" || outcome === "unknown")
    return { outcome, detail: why };
  const what = `it answered with the outcome ${String(outcome).slice(0, 100)}, which there is not`;
  return { outcome: "unknown", detail: why === "" ? what : `${what}: ${why}` };
}

function describe(fence: Fence): string {
  try {
    return fence.describe();
  } catch (error) {
    return `(no description: ${error instanceof Error ? error.message : String(error)})`;
  }
}
