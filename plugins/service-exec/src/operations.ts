/** The operations of a service made of commands: what is run when, and which of its ends is a failure. */

import {
  type Command,
  type CommandResult,
  commandText,
  type Log,
  type NodeIdentity,
  type RunState,
  runCommand,
  type ServiceOperations,
  serviceError,
} from "@understudy/core/public";
import { environmentOf, type Operation } from "./environment.js";
import type { ExecOptions } from "./options.js";
import { type SupervisedProcess, supervise } from "./supervised-process.js";

const askEveryMs = 100;

export interface ExecOperations extends ServiceOperations {
  /** Called when a program under `run` ended that nobody asked to end. */
  onDeath(listener: (reason: string) => void): void;
}

export function execOperations(options: ExecOptions, node: NodeIdentity, log: Log): ExecOperations {
  const runner = runnerOf(options, node, log);
  return options.run ? supervised(options, options.run, node, log, runner) : started(options, runner);
}

interface Runner {
  run(
    operation: Operation,
    command: Command,
    timeoutMs: number,
    signal?: AbortSignal,
  ): Promise<CommandResult>;
  /** Rejects unless the command exits with 0. */
  need(operation: Operation, command: Command, timeoutMs: number, signal?: AbortSignal): Promise<void>;
  healthy(): Promise<boolean>;
  /** The last epoch this service was told. */
  epoch: number | undefined;
}

function runnerOf(options: ExecOptions, node: NodeIdentity, log: Log): Runner {
  const runner: Runner = {
    epoch: undefined,
    async run(operation, command, timeoutMs, signal) {
      return runCommand(command, {
        environment: { ...options.environment, ...environmentOf(node, operation, runner.epoch) },
        ...(options.workingDirectory === undefined ? {} : { workingDirectory: options.workingDirectory }),
        timeoutMs,
        graceMs: 100,
        ...(signal === undefined ? {} : { signal }),
      });
    },
    async need(operation, command, timeoutMs, signal) {
      const result = await runner.run(operation, command, timeoutMs, signal);
      const fields = { operation, result: result.detail, tookMs: result.tookMs, output: result.output };
      if (result.code === 0) {
        log.info(fields, "a command of the service ran");
        return;
      }
      log.warn(fields, "a command of the service failed");
      throw commandFailed(operation, command, result);
    },
    async healthy() {
      if (!options.health) return true;
      return (await runner.run("health", options.health, options.healthTimeoutMs)).code === 0;
    },
  };
  return runner;
}

function commandFailed(operation: Operation, command: Command, result: CommandResult): Error {
  const code =
    operation === "start"
      ? "SERVICE_NOT_STARTED"
      : operation === "stop"
        ? "SERVICE_NOT_STOPPED"
        : "SERVICE_COMMAND_FAILED";
  const lastLine = result.output.split("\n").at(-1) ?? "";
  return serviceError(
    code,
    `${operation} (${commandText(command)}): ${result.detail}${lastLine && `: ${lastLine}`}`,
  );
}

function warmCommands(options: ExecOptions, runner: Runner): Pick<ServiceOperations, "promote" | "demote"> {
  return {
    async promote(epoch, signal) {
      runner.epoch = epoch;
      if (options.promote) await runner.need("promote", options.promote, options.commandTimeoutMs, signal);
    },
    async demote() {
      if (options.demote) await runner.need("demote", options.demote, options.commandTimeoutMs);
    },
  };
}

/** Something that looks after itself once it is started. */
function started(options: ExecOptions, runner: Runner): ExecOperations {
  // Without a health command only our own last word is known, and before the first nothing is.
  let remembered: RunState = "broken";
  const stop = async () => {
    if (options.stop) await runner.need("stop", options.stop, options.stopTimeoutMs);
    remembered = "stopped";
  };
  return {
    ...warmCommands(options, runner),
    async start(epoch, signal) {
      runner.epoch = epoch;
      const deadlineMs = performance.now() + options.startTimeoutMs;
      remembered = "broken";
      if (options.start) await runner.need("start", options.start, options.startTimeoutMs, signal);
      await untilHealthy(runner, deadlineMs, options, signal, () => undefined);
      remembered = "running";
    },
    stop,
    async ask() {
      if (!options.health) return remembered;
      return (await runner.healthy()) ? "running" : "stopped";
    },
    onDeath() {},
  };
}

/** A program that this process looks after. */
function supervised(
  options: ExecOptions,
  command: Command,
  node: NodeIdentity,
  log: Log,
  runner: Runner,
): ExecOperations {
  let current: SupervisedProcess | undefined;
  let listener: (reason: string) => void = () => undefined;
  let starting = false;

  async function launch(): Promise<SupervisedProcess> {
    try {
      const launched = await supervise(command, {
        environment: { ...options.environment, ...environmentOf(node, "run", runner.epoch) },
        workingDirectory: options.workingDirectory,
        graceMs: options.stopTimeoutMs,
        log,
      });
      log.info({ pid: launched.pid, command: commandText(command) }, "the service was started");
      return launched;
    } catch (error) {
      throw serviceError("SERVICE_NOT_STARTED", `run (${commandText(command)}): ${messageOf(error)}`, {
        cause: error,
      });
    }
  }

  function watch(launched: SupervisedProcess): void {
    void launched.ended.then((reason) => {
      log.info({ pid: launched.pid, result: reason }, "the service has ended");
      if (current !== launched) return;
      current = undefined;
      if (!starting) listener(`it ended by itself: ${reason}`);
    });
  }

  return {
    ...warmCommands(options, runner),
    async start(epoch, signal) {
      runner.epoch = epoch;
      const deadlineMs = performance.now() + options.startTimeoutMs;
      starting = true;
      try {
        if (!current?.alive) {
          const launched = await launch();
          current = launched;
          watch(launched);
        }
        await untilHealthy(runner, deadlineMs, options, signal, () =>
          current?.alive ? undefined : "it ended at once",
        );
      } finally {
        starting = false;
      }
    },
    async stop() {
      const stopping = current;
      // Its end is no surprise from here on.
      current = undefined;
      await stopping?.stop(options.stopTimeoutMs);
    },
    async ask() {
      if (!current?.alive) return "stopped";
      return (await runner.healthy()) ? "running" : "broken";
    },
    onDeath(wanted) {
      listener = wanted;
    },
  };
}

/** Asks until it is healthy; rejects at the deadline, when called off, and when `lost` knows that it never will be. */
async function untilHealthy(
  runner: Runner,
  deadlineMs: number,
  options: ExecOptions,
  signal: AbortSignal,
  lost: () => string | undefined,
): Promise<void> {
  for (;;) {
    if (signal.aborted) throw serviceError("SERVICE_OVERTAKEN", "the start was called off");
    const reason = lost();
    if (reason !== undefined) throw serviceError("SERVICE_NOT_STARTED", reason);
    if (await runner.healthy()) return;
    if (performance.now() > deadlineMs) {
      throw serviceError("SERVICE_NOT_STARTED", `it was not healthy within ${options.startTimeoutMs} ms`);
    }
    await new Promise((resolve) => setTimeout(resolve, askEveryMs));
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
