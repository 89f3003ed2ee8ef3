/** What a person may write for the plugin: a fence agent with its options for each node, or a command of any kind. */

import { commandOption, z } from "@understudy/core/public";

/** What an agent reads as one line of "name=value": no line break may begin another. */
const value = z
  .union([z.string(), z.number(), z.boolean()])
  .transform(String)
  .refine((text) => !/[\n\r\0]/.test(text), "must be one line");
const values = z.record(
  z
    .string()
    .regex(/^[A-Za-z_][A-Za-z0-9_-]*$/, "is no name of an option")
    .refine((name) => name !== "action", "is set by the plugin: see the option action"),
  value,
);
const limit = z.int().min(100).max(110_000);

const agentForm = z.strictObject({
  agent: z
    .string()
    .min(1)
    .describe("A fence agent of the ClusterLabs kind, such as fence_ipmilan: its name, or its path."),
  options: values
    .default({})
    .describe(
      "Options of the agent that are the same for both nodes, as its manual page names them for stdin.",
    ),
  targets: z
    .record(z.string(), values)
    .default({})
    .describe(
      "By name of the node to be switched off: the options that say which machine that is, such as ip or plug. " +
        "Both nodes should be here, so that one file serves both.",
    ),
  action: z
    .enum(["off", "reboot"])
    .default("off")
    .describe(
      "off: it stays off until somebody switches it on. reboot: it comes back by itself, and fires in its turn if it " +
        "still cannot hear this node. Default off.",
    ),
  verify: z
    .boolean()
    .default(true)
    .describe(
      "After off the agent is asked for the status and must say off, too. false: for agents that know no status. " +
        "Default true; a reboot is never verified, because the machine is on again.",
    ),
  timeoutMs: limit
    .default(60_000)
    .describe("Milliseconds until the agent is ended, which is a failure. Default 60000."),
});

const commandForm = z.strictObject({
  command: commandOption(
    "What switches the other node off. Exit code 0, and nothing else, confirms that it is off.",
  ),
  checkCommand: commandOption(
    "Run every minute: an exit code other than 0 says that the fence could not be used, its last line of output why.",
  ).optional(),
  timeoutMs: limit
    .default(60_000)
    .describe("Milliseconds until the command is ended, which is a failure. Default 60000."),
  environment: z
    .record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, "is no name of a variable"), z.string())
    .default({})
    .describe("Variables added to the command's environment. Default: none."),
});

export const execOptions = z
  .union([agentForm, commandForm])
  .describe("Switches the other machine off by running a fence agent or a command.");

export type ExecOptions = z.infer<typeof execOptions>;
export type AgentOptions = z.infer<typeof agentForm>;
export type CommandOptions = z.infer<typeof commandForm>;
