/**
 * Runs one command of the config with an end: its own process group, input, output up to a limit, and a timeout after
 * which the whole group goes. Nothing here throws or rejects; what became of the command is the result.
 */

import { type ChildProcess, spawn } from "node:child_process";

/** A program with its arguments, run as it is; or a line for `sh -c`, which has to be asked for. */
export type Command = readonly [string, ...string[]] | { readonly shell: string };

export interface CommandOptions {
  /** Added to this process's own environment. */
  readonly environment?: Readonly<Record<string, string>>;
  readonly workingDirectory?: string;
  /** Written to standard input, which then ends. */
  readonly input?: string;
  /** Milliseconds until SIGTERM to the process group. */
  readonly timeoutMs: number;
  /** Milliseconds from SIGTERM to SIGKILL, default 1000. */
  readonly graceMs?: number;
  /** The last so many bytes of standard output and error are kept, default 4096. */
  readonly keptOutputBytes?: number;
  /** Ends the command as the timeout does. */
  readonly signal?: AbortSignal;
}

export interface CommandResult {
  /** `exited`: see `code`. `killed`: by a signal that was not ours. `notStarted`: the program could not be run. */
  readonly end: "exited" | "killed" | "timedOut" | "aborted" | "notStarted";
  /** Only where `end` is `exited`. */
  readonly code: number | undefined;
  /** The end of standard output and error as they came, UTF-8. */
  readonly output: string;
  /** For people: "exit code 3", "no end within 10000 ms, killed". */
  readonly detail: string;
  readonly tookMs: number;
}

/** After its SIGKILL a process goes at once, unless the kernel holds it: then it is not waited for. */
const afterKillMs = 500;
/** What a command leaves running may keep its output open: that is no reason to wait for it. */
const lastOutputMs = 150;

export function programOf(command: Command): readonly [string, ...string[]] {
  return "shell" in command ? ["/bin/sh", "-c", command.shell] : command;
}

export function commandText(command: Command): string {
  return "shell" in command ? command.shell : command.join(" ");
}

export function runCommand(command: Command, options: CommandOptions): Promise<CommandResult> {
  const startedMs = performance.now();
  const [program, ...args] = programOf(command);
  return new Promise((resolve) => {
    const finish = (end: CommandResult["end"], code: number | undefined, detail: string, output = "") =>
      resolve({ end, code, detail, output, tookMs: Math.round(performance.now() - startedMs) });
    if (options.signal?.aborted) return finish("aborted", undefined, "called off before its start");
    let child: ChildProcess;
    try {
      child = spawn(program, args, {
        cwd: options.workingDirectory,
        env: { ...inheritedEnvironment(), ...options.environment },
        // A process group of its own, so that what the command started can be ended with it.
        detached: true,
        stdio: [options.input === undefined ? "ignore" : "pipe", "pipe", "pipe"],
      });
    } catch (error) {
      return finish("notStarted", undefined, messageOf(error));
    }
    watch(child, options, finish);
  });
}

/** Our own environment without what systemd means for this process alone, such as the socket for its readiness. */
export function inheritedEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^(NOTIFY_SOCKET|WATCHDOG_|LISTEN_)/.test(name)),
  );
}

function watch(
  child: ChildProcess,
  options: CommandOptions,
  finish: (end: CommandResult["end"], code: number | undefined, detail: string, output?: string) => void,
): void {
  const output = keepOutput(child, options.keptOutputBytes ?? 4096);
  let ending: "timedOut" | "aborted" | undefined;
  let killTimer: NodeJS.Timeout | undefined;
  let givingUp: NodeJS.Timeout | undefined;
  const endIt = (why: "timedOut" | "aborted"): void => {
    if (ending !== undefined) return;
    ending = why;
    signalGroup(child.pid, "SIGTERM");
    killTimer = setTimeout(() => {
      signalGroup(child.pid, "SIGKILL");
      givingUp = setTimeout(() => done(why, undefined, "killed, and still not gone"), afterKillMs);
    }, options.graceMs ?? 1000);
  };
  const timeout = setTimeout(() => endIt("timedOut"), options.timeoutMs);
  const abort = () => endIt("aborted");
  options.signal?.addEventListener("abort", abort, { once: true });

  const done = (end: CommandResult["end"], code: number | undefined, detail: string): void => {
    clearTimeout(timeout);
    clearTimeout(killTimer);
    clearTimeout(givingUp);
    options.signal?.removeEventListener("abort", abort);
    finish(end, code, detail, output.text());
    output.letGo();
  };
  child.once("error", (error) => done("notStarted", undefined, messageOf(error)));
  child.once("exit", async (code, signal) => {
    // The rest of a group whose time is up goes even if its leader went by itself.
    if (ending !== undefined) signalGroup(child.pid, "SIGKILL");
    await output.ended(lastOutputMs);
    if (ending === "timedOut") return done("timedOut", undefined, `no end within ${options.timeoutMs} ms`);
    if (ending === "aborted") return done("aborted", undefined, "called off");
    if (signal !== null) return done("killed", undefined, `killed by ${signal}`);
    done("exited", code ?? 0, `exit code ${code ?? 0}`);
  });
  child.stdin?.on("error", () => undefined);
  child.stdin?.end(options.input);
}

function keepOutput(child: ChildProcess, limit: number) {
  let kept = Buffer.alloc(0);
  let keeping = true;
  const streams = [child.stdout, child.stderr].filter((stream) => stream !== null);
  for (const stream of streams) {
    stream.on("data", (chunk: Buffer) => {
      if (keeping) kept = Buffer.concat([kept, chunk]).subarray(-limit);
    });
    stream.on("error", () => undefined);
  }
  const closed = new Promise<void>((resolve) => child.once("close", () => resolve()));
  return {
    text: () => kept.toString("utf8").trim(),
    async ended(withinMs: number): Promise<void> {
      const timer = Promise.withResolvers<void>();
      const handle = setTimeout(timer.resolve, withinMs);
      await Promise.race([closed, timer.promise]);
      clearTimeout(handle);
    },
    /** What still runs may go on writing: it is read and forgotten, so that no broken pipe ends it. */
    letGo(): void {
      keeping = false;
      for (const stream of streams)
        if ("unref" in stream && typeof stream.unref === "function") stream.unref();
    },
  };
}

/**
 * Signals a process group by its leader; one that is gone already is no matter. False: nothing of it is left, or it is not
 * ours to signal. 0 only asks.
 */
export function signalGroup(leader: number | undefined, signal: NodeJS.Signals | 0): boolean {
  if (leader === undefined) return false;
  try {
    return process.kill(-leader, signal);
  } catch {
    return false;
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
