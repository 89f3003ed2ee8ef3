/**
 * `understudy run`: both processes of this node in the foreground, for trying out and for hosts without systemd. Under
 * systemd the two units do this, neither the other's parent.
 */

import { fileURLToPath } from "node:url";
import type { Command } from "commander";
import { loadConfig } from "../config/load.js";
import { readKeyFile } from "../keys/key-file.js";
import { checkPlugins } from "../plugin/host.js";
import { examples, globalOptions } from "./command.js";
import { supervise } from "./supervise.js";

export function define(command: Command): void {
  command
    .description(
      "Starts pulse and node as two processes and keeps both running: one that ends is started again, later and later, " +
        "and a line on standard error says so. SIGINT or SIGTERM stops both, pulse first, so that the address is handed " +
        "over while the services still answer; a second one kills them.",
    )
    .addHelpText(
      "after",
      examples(
        ["understudy run", "this node, found out by its addresses"],
        ["understudy --config pair.yaml --node a run", "node a of another pair"],
      ),
    )
    .action(async () => {
      const local = await loadConfig(globalOptions(command).config, { node: globalOptions(command).node });
      await checkPlugins(local);
      readKeyFile(local.config.keyFile);
      process.exitCode = await runBoth(local.file, local.self.name);
    });
}

async function runBoth(file: string, node: string): Promise<number> {
  const program = fileURLToPath(new URL("../../../bin/understudy.js", import.meta.url));
  const processOf = (name: "pulse" | "node") => ({
    name,
    command: process.execPath,
    args: [...process.execArgv, program, "--config", file, "--node", node, name],
  });
  const supervisor = supervise({
    processes: [processOf("node"), processOf("pulse")],
    say: (line) => process.stderr.write(`understudy run: ${line}\n`),
  });
  const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
  const stop = (): void => supervisor.stop();
  for (const signal of signals) process.on(signal, stop);
  const code = await supervisor.done;
  for (const signal of signals) process.off(signal, stop);
  return code;
}
