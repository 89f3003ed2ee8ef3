/** `understudy pulse`: the process that decides, as its systemd unit runs it. */

import { setFlagsFromString } from "node:v8";
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
      stayYoungAndSmall();
      const { runPulse } = await import("../pulse/main.js");
      await runPulse({ configFile: config, node });
    });
}

/**
 * The space for young objects starts at 1 MiB a half and would grow to 16: pulse makes little garbage, and small, frequent
 * collections keep it both small and punctual. Measured: 10 MB less after half a minute.
 */
function stayYoungAndSmall(): void {
  setFlagsFromString("--semi-space-growth-factor=1");
}
