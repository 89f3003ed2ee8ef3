/** `understudy reload`: has the running node take a changed config file over without an outage. */

import type { Command } from "commander";
import { loadConfig } from "../config/load.js";
import { askerOf } from "./ask-node.js";
import { examples, globalOptions, print } from "./command.js";

export function define(command: Command): void {
  command
    .description(
      "Has this node read its config again. The whole file is taken over, or nothing of it: what is wrong is listed with " +
        "its place, and so is what needs a restart. Of services and observers only those are restarted whose entry " +
        "changed. Use it on both nodes: they show it when their configs differ.",
    )
    .addHelpText(
      "after",
      examples(
        ["understudy check && understudy reload", "look first"],
        ["understudy timeline --limit 5", "what both processes say of it"],
      ),
    )
    .action(async () => {
      // A mistake is better shown here, with its place, than on the other side of a socket.
      const ask = askerOf(await loadConfig(globalOptions(command).config, globalOptions(command)));
      const { message } = await ask("reload", {});
      print(message);
    });
}
