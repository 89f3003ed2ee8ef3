/** `understudy maintenance on|off`: takes a node out of service until further notice, also across restarts. */

import { Argument, type Command } from "commander";
import { loadConfig } from "../config/load.js";
import { askerOf } from "./ask-node.js";
import { examples, globalOptions, print } from "./command.js";

export function define(command: Command): void {
  command
    .description(
      "With `on` this node gives the service to the other one, if it has it, and takes no part until `off`, restarts " +
        "included. It goes on receiving sessions.",
    )
    .addArgument(new Argument("<state>", "what this node shall do from now on").choices(["on", "off"]))
    .option("--force", "also when the other node cannot serve: then nobody does")
    .addHelpText(
      "after",
      examples(
        ["understudy maintenance on", "before this machine is worked on"],
        ["understudy maintenance off", "when it may serve again"],
      ),
    )
    .action(async (state: "on" | "off", { force }: { force?: boolean }) => {
      const ask = askerOf(await loadConfig(globalOptions(command).config, globalOptions(command)));
      const { message } = await ask("maintenance", { on: state === "on", force: force === true });
      print(message);
    });
}
