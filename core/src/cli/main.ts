/**
 * The command line: finds the command that was asked for, imports that one alone, and turns errors into a text for a
 * person and an exit code for a script.
 */

import { Command, CommanderError } from "commander";
import { explain } from "../errors/error.js";
import { version } from "../version.js";
import type { CommandEntry } from "./command.js";
import { commands } from "./commands.js";
import { exitCodeOf, exitCodesHelp } from "./exit-codes.js";

/** Resolves when the command is done, after setting `process.exitCode`; never rejects. */
export async function main(args: readonly string[]): Promise<void> {
  endWithReader(args);
  try {
    const program = await buildProgram(args, commands);
    await program.parseAsync([...args], { from: "user" });
  } catch (error) {
    // Commander has already said what it did not understand.
    if (!(error instanceof CommanderError)) process.stderr.write(`understudy: ${explain(error)}\n`);
    process.exitCode = exitCodeOf(error);
  }
}

const daemons = ["pulse", "node", "run"];

/** A reader such as `head` that has seen enough closes its end: a command is then done, and a daemon goes on unheard. */
function endWithReader(args: readonly string[]): void {
  const daemon = daemons.some((name) => args.includes(name));
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
    if (!daemon) process.exit(0);
  });
}

/** Exported for the documentation and the tests. Imports the modules of the commands that `args` may mean. */
export async function buildProgram(
  args: readonly string[],
  entries: readonly CommandEntry[],
): Promise<Command> {
  const program = new Command("understudy")
    .description(
      "Two equal machines keep one address and one session database: when one dies, the other takes over.",
    )
    .version(version, "-V, --version")
    .option(
      "--config <file>",
      "the config file (default: $UNDERSTUDY_CONFIG or /etc/understudy/understudy.yaml)",
    )
    .option(
      "--node <name>",
      "which node of the config this is (default: $UNDERSTUDY_NODE, else by its addresses)",
    )
    .helpCommand("help [command]", "say how to use a command")
    .showSuggestionAfterError()
    .showHelpAfterError(
      "Nothing was done. `understudy --help` and `understudy COMMAND --help` say what there is.",
    )
    .addHelpText(
      "after",
      `\nA new pair: understudy init, then check, then run or the systemd units, then status.\n${exitCodesHelp}`,
    );
  for (const { name, group, summary, load } of entries) {
    const command = program.command(name).summary(summary).description(summary).helpGroup(group);
    if (!args.includes(name)) continue;
    const { define } = await load();
    define(command);
  }
  throwInsteadOfExit(program);
  return program;
}

/** A process that ends by itself has written all of its output; one that calls exit() may not. */
function throwInsteadOfExit(command: Command): void {
  command.exitOverride();
  for (const below of command.commands) throwInsteadOfExit(below);
}
