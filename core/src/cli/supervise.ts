/**
 * Keeps the two processes of a node running in the foreground: restarts what ends, later and later when it keeps ending,
 * says so each time, and stops both in the order in which a planned release needs them.
 */

import { type ChildProcess, spawn } from "node:child_process";

export interface SuperviseOptions {
  /** Program and arguments, in the order of starting; stopped in reverse. */
  readonly processes: readonly Supervised[];
  /** Told of every start, end and restart, one line each. */
  say(line: string): void;
  /** First pause before a restart, doubled up to `mostPauseMs`; defaults 200 and 10000. */
  readonly pauseMs?: number;
  readonly mostPauseMs?: number;
  /** How long each process may take to end before it is killed; default 10000. */
  readonly stopMs?: number;
}

export interface Supervised {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
}

export interface Supervisor {
  /** Resolves when all have ended, to the exit code: 0 after `stop`, else that of the process that may not be restarted. */
  readonly done: Promise<number>;
  /** Asks the processes to end, last started first, one after the other. Again: kills them. */
  stop(): void;
  pids(): readonly number[];
}

/** A config that is wrong does not get better by starting again. */
const wrongInput = 2;

/** A process that ran for this long has started well: the pauses begin anew. */
const healthyMs = 60_000;

export function supervise(options: SuperviseOptions): Supervisor {
  const { promise: done, resolve } = Promise.withResolvers<number>();
  let stops = 0;
  let exitCode = 0;
  const keepers = options.processes.map((process) =>
    keep(process, options, (code) => {
      exitCode = code;
      void stopAll();
    }),
  );

  async function stopAll(): Promise<void> {
    stops += 1;
    if (stops > 1) {
      if (stops === 2) options.say("killing what is left");
      for (const keeper of keepers) keeper.kill();
      return;
    }
    for (const keeper of keepers.toReversed()) await keeper.stop();
    resolve(exitCode);
  }

  return {
    done,
    stop: () => void stopAll(),
    pids: () => keepers.flatMap(({ pid }) => pid() ?? []),
  };
}

interface Keeper {
  pid(): number | undefined;
  stop(): Promise<void>;
  kill(): void;
}

function keep(process: Supervised, options: SuperviseOptions, giveUp: (code: number) => void): Keeper {
  const { name } = process;
  const firstPauseMs = options.pauseMs ?? 200;
  let pauseMs = firstPauseMs;
  let child: ChildProcess | undefined;
  let timer: NodeJS.Timeout | undefined;
  let wanted = true;
  const { promise: gone, resolve: setGone } = Promise.withResolvers<void>();

  function start(): void {
    const startedMs = performance.now();
    // A group of its own: Ctrl-C in the terminal comes here alone, and the order of stopping is kept.
    const started = spawn(process.command, process.args, {
      stdio: "inherit",
      detached: true,
      env: process.env ?? globalThis.process.env,
    });
    child = started;
    started.once("spawn", () => options.say(`${name} runs (pid ${started.pid})`));
    let over = false;
    const ended = (how: string, code: number | null): void => {
      if (over) return;
      over = true;
      child = undefined;
      if (!wanted) {
        options.say(`${name} has ended (${how})`);
        setGone();
      } else if (code === wrongInput) {
        options.say(`${name} ended with ${how}: not started again, since its input is wrong`);
        wanted = false;
        setGone();
        giveUp(wrongInput);
      } else {
        if (performance.now() - startedMs >= healthyMs) pauseMs = firstPauseMs;
        options.say(`${name} ended unasked (${how}); it starts again in ${pauseMs} ms`);
        timer = setTimeout(start, pauseMs);
        pauseMs = Math.min(2 * pauseMs, options.mostPauseMs ?? 10_000);
      }
    };
    started.once("error", (error) => ended(error.message, null));
    started.once("exit", (code, signal) => ended(signal ?? `code ${code}`, code));
  }

  function end(): void {
    wanted = false;
    clearTimeout(timer);
    if (child === undefined) setGone();
  }

  start();
  return {
    pid: () => child?.pid,
    async stop() {
      end();
      child?.kill("SIGTERM");
      const killer = setTimeout(() => {
        options.say(`${name} has not ended in time and is killed`);
        child?.kill("SIGKILL");
      }, options.stopMs ?? 10_000);
      await gone;
      clearTimeout(killer);
    },
    kill() {
      end();
      child?.kill("SIGKILL");
    },
  };
}
