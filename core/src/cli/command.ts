/**
 * What a command of the command line is: a name and a sentence that are always there, and a module that is imported only
 * when the command is asked for. So `understudy pulse` carries nothing that only an operator needs.
 */

import type { Command } from "commander";

export interface CommandModule {
  /** Adds description, arguments, options, subcommands, examples and action. The action sets `process.exitCode`. */
  define(command: Command): void;
}

export interface CommandEntry {
  readonly name: string;
  readonly group: "Set up:" | "Extend:" | "Run:" | "Operate:" | "Look:";
  /** One line for the list of commands. */
  readonly summary: string;
  load(): Promise<CommandModule>;
}

/** The options every command has. */
export interface GlobalOptions {
  /** Undefined: UNDERSTUDY_CONFIG, else the default file. */
  readonly config?: string | undefined;
  /** Undefined: UNDERSTUDY_NODE, else found out. */
  readonly node?: string | undefined;
}

export function globalOptions(command: Command): GlobalOptions {
  const { config, node } = command.optsWithGlobals<GlobalOptions>();
  return { config, node };
}

/** "\nExamples:\n  …" for `addHelpText("after", …)`. */
export function examples(...lines: readonly (readonly [command: string, why: string])[]): string {
  const width = Math.max(...lines.map(([command]) => command.length));
  return `\nExamples:\n${lines.map(([command, why]) => `  ${command.padEnd(width)}   ${why}`).join("\n")}`;
}

export function print(text: string): void {
  process.stdout.write(text.endsWith("\n") ? text : `${text}\n`);
}

export function printJson(value: unknown): void {
  print(JSON.stringify(value, null, 2));
}
