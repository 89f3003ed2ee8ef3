/** The operations of a systemd unit: `systemctl start`, `stop`, `reload`, and `show` for what is true. */

import {
  type CommandResult,
  type Log,
  type RunState,
  runCommand,
  type ServiceOperations,
  serviceError,
} from "@understudy/core/public";
import type { SystemdOptions } from "./options.js";
import { describeState, parseShown, runStateOf, shownProperties, type UnitState } from "./unit-state.js";

const askEveryMs = 100;
/** A manager that does not answer in this time is no good news. */
const showTimeoutMs = 800;

export function systemdOperations(options: SystemdOptions, log: Log): ServiceOperations {
  const { unit } = options;

  function systemctl(verb: string, timeoutMs: number, signal?: AbortSignal): Promise<CommandResult> {
    return runCommand([options.systemctl, "--no-ask-password", "--no-pager", verb, unit], {
      // Read by programs: no colours, no pager, no translation.
      environment: { SYSTEMD_COLORS: "0", LC_ALL: "C" },
      timeoutMs,
      graceMs: 100,
      ...(signal === undefined ? {} : { signal }),
    });
  }

  async function show(): Promise<UnitState | string> {
    const result = await runCommand([options.systemctl, "--no-pager", "show", shownProperties, unit], {
      environment: { SYSTEMD_COLORS: "0", LC_ALL: "C" },
      timeoutMs: showTimeoutMs,
      graceMs: 50,
    });
    return result.code === 0 ? parseShown(result.output) : sentence(result);
  }

  async function ask(): Promise<RunState> {
    const state = await show();
    return typeof state === "string" ? "broken" : runStateOf(state);
  }

  /** Waits for a unit in "activating"; rejects when it is anything else but active, or at the deadline. */
  async function untilActive(deadlineMs: number, signal: AbortSignal): Promise<void> {
    for (;;) {
      if (signal.aborted) throw serviceError("SERVICE_OVERTAKEN", `the start of ${unit} was called off`);
      const state = await show();
      // A manager too busy to answer says nothing of the unit: it is asked again.
      const now = typeof state === "string" ? "starting" : runStateOf(state);
      if (now === "running") return;
      const words = typeof state === "string" ? state : describeState(state);
      if (now !== "starting") throw serviceError("SERVICE_NOT_STARTED", `${unit} did not start: ${words}`);
      if (performance.now() > deadlineMs) {
        throw serviceError(
          "SERVICE_NOT_STARTED",
          `${unit} was not active within ${options.startTimeoutMs} ms: ${words}`,
        );
      }
      await new Promise((resolve) => setTimeout(resolve, askEveryMs));
    }
  }

  return {
    ask,
    async start(_epoch, signal) {
      const deadlineMs = performance.now() + options.startTimeoutMs;
      const result = await systemctl("start", options.startTimeoutMs, signal);
      log.info(
        { unit, result: result.detail, tookMs: result.tookMs, output: result.output },
        "systemctl start ran",
      );
      // A start whose job failed may have met a unit that is active all the same, or comes up by its Restart=.
      if (result.end === "exited" && result.code !== 0 && (await ask()) === "stopped") {
        throw serviceError("SERVICE_NOT_STARTED", `systemctl start ${unit}: ${sentence(result)}`);
      }
      if (result.end === "notStarted") throw serviceError("SERVICE_NOT_STARTED", sentence(result));
      await untilActive(deadlineMs, signal);
    },
    async stop() {
      const result = await systemctl("stop", options.stopTimeoutMs);
      log.info(
        { unit, result: result.detail, tookMs: result.tookMs, output: result.output },
        "systemctl stop ran",
      );
      // The world decides: a unit that is not even loaded is stopped, whatever the exit code says.
      const state = await show();
      if (typeof state !== "string" && runStateOf(state) === "stopped") return;
      const words = typeof state === "string" ? state : describeState(state);
      throw serviceError("SERVICE_NOT_STOPPED", `systemctl stop ${unit}: ${sentence(result)}; ${words}`);
    },
    async promote(_epoch, signal) {
      if (!options.reloadOnPromote) return;
      const result = await systemctl("reload", options.startTimeoutMs, signal);
      log.info(
        { unit, result: result.detail, tookMs: result.tookMs, output: result.output },
        "systemctl reload ran",
      );
      if (result.code !== 0) {
        throw serviceError("SERVICE_COMMAND_FAILED", `systemctl reload ${unit}: ${sentence(result)}`);
      }
    },
    async demote() {},
  };
}

function sentence({ detail, output }: CommandResult): string {
  const [firstLine = ""] = output.split("\n");
  return firstLine === "" ? detail : `${detail}, ${firstLine}`;
}
