/** What a person may write for the plugin: a list of hooks, each a command and the kinds of entries it is told of. */

import { commandOption, z } from "@understudy/core/public";

const hook = z.strictObject({
  command: commandOption("What to run for each matching entry of the timeline."),
  kinds: z
    .union([z.array(z.string().min(1)).min(1), z.literal("all")])
    .default(["role", "alarm"])
    .describe(
      'Kinds of timeline entries it is told of, or "all"; `understudy timeline` shows the kinds. Default: [role, alarm], which is role changes, and alarms raised and over.',
    ),
  timeoutMs: z
    .int()
    .min(100)
    .max(30_000)
    .default(10_000)
    .describe("Milliseconds until the command is ended, with all it started. Default 10000."),
  workingDirectory: z
    .string()
    .optional()
    .describe("Folder the command runs in. Default: the one of the node process."),
  environment: z
    .record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, "is no name of a variable"), z.string())
    .default({})
    .describe("Variables added to the command's environment. Default: none."),
});

/** The core gives an entry a minute: then it goes on to the next, and hooks would overlap. */
const mostForOneEntryMs = 55_000;
const graceMs = 1000;

export const execOptions = z
  .strictObject({
    hooks: z
      .array(hook)
      .min(1)
      .refine(
        (hooks) => hooks.reduce((sum, { timeoutMs }) => sum + timeoutMs + graceMs, 0) <= mostForOneEntryMs,
        {
          message: `the timeouts of all hooks, and a second for each, may add up to at most ${mostForOneEntryMs} ms`,
        },
      )
      .describe("Run in this order, one at a time, for every entry of the timeline that matches."),
  })
  .describe("Runs commands when something happens to the pair.");

export type ExecOptions = z.infer<typeof execOptions>;
export type Hook = z.infer<typeof hook>;
