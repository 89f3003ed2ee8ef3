/**
 * `understudy config schema`: the JSON schema of the config file, with the options of every plugin that is installed, so
 * that an editor completes and checks it while it is written.
 */

import type { Command } from "commander";
import { fileJsonSchema } from "../config/json-schema.js";
import { examples, printJson } from "./command.js";

export function define(command: Command): void {
  command.description("Prints what editors need to know of the config file.");
  command
    .command("schema")
    .description("print the JSON schema of the config file, the installed plugins' options included")
    .addHelpText(
      "after",
      examples(
        ["understudy config schema > understudy.schema.json", "for the line that editors read:"],
        ["# yaml-language-server: $schema=understudy.schema.json", "at the top of the YAML file"],
      ),
    )
    .action(async () => printJson(await fileJsonSchema()));
}
