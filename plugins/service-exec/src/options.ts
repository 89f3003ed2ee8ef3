/**
 * What a person may write for the plugin: either one program that is supervised (`run`), or commands that start and stop
 * something which looks after itself.
 */

import { commandOption, z } from "@understudy/core/public";

const limit = (defaultMs: number, mostMs: number, what: string) =>
  z.int().min(50).max(mostMs).default(defaultMs).describe(`${what} Milliseconds, default ${defaultMs}.`);

export const execOptions = z
  .strictObject({
    mode: z
      .enum(["cold", "warm"])
      .default("cold")
      .describe("cold: runs only where the node is active. warm: runs on both nodes. Default cold."),
    run: commandOption(
      "A program that stays in the foreground, started, watched, started again and ended by the node. It ends when the node process dies.",
    ).optional(),
    start: commandOption("Starts the service and exits with 0 when it is started.").optional(),
    stop: commandOption(
      "Stops the service and exits with 0 when it is gone, also when it was not there.",
    ).optional(),
    promote: commandOption("Only warm: run when this node has become active.").optional(),
    demote: commandOption("Only warm: run when this node has ceased to be active.").optional(),
    health: commandOption(
      "Exits with 0 when the service serves. Without it, a program under `run` is healthy while it lives, and one under `start` from its start to its stop.",
    ).optional(),
    startTimeoutMs: limit(20_000, 28_000, "Until the service must be healthy after its start."),
    stopTimeoutMs: limit(
      1500,
      1700,
      "Until a program under `run` is killed after SIGTERM, and until `stop` has failed.",
    ),
    commandTimeoutMs: limit(1500, 1700, "Until `promote` or `demote` has failed."),
    healthTimeoutMs: limit(800, 900, "Until `health` has failed."),
    adoptMs: limit(
      5000,
      60_000,
      "How long a service that runs already when the node starts is left alone, until this node is known to stand by.",
    ),
    restart: z
      .boolean()
      .default(true)
      .describe(
        "Starts it again, after 500 ms and ever more slowly up to 30 s, when it should run and does not. Default true.",
      ),
    environment: z
      .record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, "is no name of a variable"), z.string())
      .default({})
      .describe("Variables added to the environment of every command. Default: none."),
    workingDirectory: z
      .string()
      .optional()
      .describe("Folder of every command. Default: the one of the node process."),
  })
  .superRefine((options, context) => {
    const wrong = (message: string, key: string) =>
      context.addIssue({ code: "custom", message, path: [key], input: options });
    if (options.run && options.start) wrong("give run, or start and stop, not both", "run");
    if (!options.run && !options.start) wrong("give run, or start and stop", "run");
    if (options.start && !options.stop) wrong("what has a start needs a stop", "stop");
    if (options.run && options.stop)
      wrong("a program under run is stopped by a signal; stop goes with start", "stop");
    for (const key of ["promote", "demote"] as const) {
      if (options[key] && options.mode === "cold") wrong("only a warm service is promoted or demoted", key);
    }
  })
  .describe("Any program or commands as a service of the pair.");

export type ExecOptions = z.infer<typeof execOptions>;
