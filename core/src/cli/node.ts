/** `understudy node`: the process that serves, as its systemd unit runs it. */

import type { Command } from "commander";
import { globalOptions } from "./command.js";

export function define(command: Command): void {
  command
    .description(
      "Runs the process that serves: services, sessions, replication, and the socket that the other commands ask. " +
        "Ends on SIGTERM after it has stopped the services.",
    )
    .action(async () => {
      const { config, node } = globalOptions(command);
      const { runNode } = await import("../node/main.js");
      await runNode({ configFile: config, node });
    });
}
