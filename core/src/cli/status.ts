/** `understudy status`: how this node is, once or again and again, for people, scripts and monitoring. */

import { join } from "node:path";
import type { Command } from "commander";
import type { LocalConfig } from "../config/config.js";
import { loadConfig } from "../config/load.js";
import { UnderstudyError } from "../errors/error.js";
import type { ControlReply, ControlRequest, NodeStatus } from "../ipc/control.js";
import { reconnectJsonLines } from "../ipc/json-lines.js";
import { askerOf } from "./ask-node.js";
import { examples, globalOptions, print, printJson } from "./command.js";
import { checkStatus, checkUnknown } from "./status-check.js";
import { statusText } from "./status-text.js";

interface StatusOptions {
  readonly json?: boolean;
  readonly watch?: boolean;
  readonly check?: boolean;
}

export function define(command: Command): void {
  command
    .description(
      "Says who serves, since when and why; how the other node, the paths, the sessions and the services are; which " +
        "protections are in force; and what would happen if the other node died now.",
    )
    .option("--json", "print everything as JSON; with --watch one object a line")
    .option("--watch", "print again at every change and every second, until interrupted")
    .option("--check", "one line for monitoring; exit code 0 ok, 1 warning, 2 critical, 3 unknown")
    .addHelpText(
      "after",
      examples(
        ["understudy status", "how this node is"],
        ["understudy status --watch", "the same, live"],
        ["understudy status --json | jq -r .pulse.role", "active, standby, maintenance …"],
        ["understudy status --check", "for Nagios, Icinga, Checkmk"],
      ),
    )
    .action(async (options: StatusOptions) => {
      if (options.check) {
        await check(command);
        return;
      }
      const local = await loadConfig(globalOptions(command).config, globalOptions(command));
      if (options.watch) await watch(local, options.json === true);
      else {
        const status = await askerOf(local)("status", {});
        if (options.json) printJson(status);
        else print(statusText(status));
      }
    });
}

async function check(command: Command): Promise<void> {
  try {
    const local = await loadConfig(globalOptions(command).config, globalOptions(command));
    const { code, line } = checkStatus(await askerOf(local)("status", {}));
    print(line);
    process.exitCode = code;
  } catch (error) {
    // Monitoring reads one line of standard output, whatever happened.
    const why = error instanceof UnderstudyError ? `${error.message} [${error.code}]` : String(error);
    const { code, line } = checkUnknown(why.split("\n")[0] ?? "");
    print(line);
    process.exitCode = code;
  }
}

const clearScreen = "\u001b[H\u001b[2J\u001b[3J";

/** Ends with SIGINT or when nobody reads any more; a node that is away is waited for. */
async function watch({ config }: LocalConfig, json: boolean): Promise<void> {
  const over = Promise.withResolvers<void>();
  const show = (text: string): void => {
    if (json) print(text);
    else print(process.stdout.isTTY ? `${clearScreen}${text}` : `${text}\n`);
  };
  const client = reconnectJsonLines<ControlReply, ControlRequest>({
    path: join(config.folders.run, "node.sock"),
    retryMs: 500,
    opened: () => void client.send({ id: "watch", command: "watch", args: {} }),
    message(reply) {
      if (reply.type !== "data") return;
      const status = reply.data as NodeStatus;
      show(json ? JSON.stringify(status) : `${statusText(status)}\n\n${new Date().toISOString()}`);
    },
    closed: (reason) =>
      process.stderr.write(`the node does not answer any more (${reason}): waiting for it\n`),
  });
  process.once("SIGINT", over.resolve);
  process.once("SIGTERM", over.resolve);
  process.stdout.once("error", () => over.resolve());
  await over.promise;
  client.close();
}
