/** `understudy pulse`: the process that decides, as its systemd unit runs it. */

import type { Command } from "commander";
import { globalOptions } from "./command.js";

export function define(command: Command): void {
  command
    .description(
      "Runs the process that decides: beats, lease, address. Needs the right to administer the network; uses real-time " +
        "scheduling where it may. Ends on SIGTERM after it has handed over or released the address.",
    )
    .action(async () => {
      const { config, node } = globalOptions(command);
      const { becomeLean } = await import("../pulse/lean-process.js");
      becomeLean({ configFile: config, node });
      const { runPulse } = await import("../pulse/main.js");
      await runPulse({ configFile: config, node });
    });
}
