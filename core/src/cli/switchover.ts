/** `understudy switchover`: moves the service to the other node on purpose, and keeps it there until told otherwise. */

import { type Command, Option } from "commander";
import { loadConfig } from "../config/load.js";
import { cliError } from "../errors/cli.js";
import { askerOf } from "./ask-node.js";
import { examples, globalOptions, print } from "./command.js";

interface SwitchoverOptions {
  readonly to?: "primary" | "secondary";
  readonly force?: boolean;
  readonly clear?: boolean;
}

export function define(command: Command): void {
  command
    .description(
      "Moves the service to the other node, or to the one named, without losing a session: writes are frozen for at most " +
        "some ten milliseconds, and nothing moves unless both databases are equal. The service then stays there: it is " +
        "preferred over the primary until --clear. Can be asked of either node.",
    )
    .addOption(
      new Option("--to <side>", "where to; default: the node that does not serve").choices([
        "primary",
        "secondary",
      ]),
    )
    .option("--force", "ask for it although the other node does not look able to serve")
    .option(
      "--clear",
      "end the preference: the primary is preferred again, and failback may take the service back",
    )
    .addHelpText(
      "after",
      examples(
        ["understudy switchover", "to the other node, say for an upgrade"],
        ["understudy switchover --to primary", "to a certain one"],
        ["understudy switchover --clear", "back to what the config says"],
      ),
    )
    .action(async ({ to, force, clear }: SwitchoverOptions) => {
      if (clear && (to !== undefined || force)) {
        throw cliError("CLI_USAGE", "--clear goes with neither --to nor --force");
      }
      const ask = askerOf(await loadConfig(globalOptions(command).config, globalOptions(command)));
      const { message } = clear
        ? await ask("clearPreference", {})
        : await ask("switchover", { force: force === true, ...(to === undefined ? {} : { to }) });
      print(message);
    });
}
