/** `understudy token`: the bearer tokens by which programs may use the session API, the same on both nodes. */

import { type Command, Option } from "commander";
import { loadConfig } from "../config/load.js";
import { type Ask, askerOf } from "./ask-node.js";
import { examples, globalOptions, print, printJson } from "./command.js";
import { table } from "./words.js";

export function define(command: Command): void {
  const ask = async (): Promise<Ask> =>
    askerOf(await loadConfig(globalOptions(command).config, globalOptions(command)));
  command
    .description("Tokens for programs that use the session API. Both nodes accept the same ones.")
    .addHelpText(
      "after",
      examples(
        ["understudy token create portal", "a token that may create and end sessions"],
        ["understudy token create graphs --scope read", "one that may only look"],
        ["understudy token list", ""],
        ["understudy token revoke 4x9k2m7qpr", "for ever, on both nodes"],
      ),
    );
  command
    .command("create <name>")
    .description("make a token and print it, once: only its hash is kept")
    .addOption(new Option("--scope <scope>", "what it allows").choices(["read", "write"]).default("write"))
    .option("--json", "print id and token as JSON")
    .action(async (name: string, options: { scope: "read" | "write"; json?: boolean }) => {
      const made = await (await ask())("tokenCreate", { name, scope: options.scope });
      if (options.json) printJson(made);
      else {
        print(made.token);
        process.stderr.write(`Token ${made.id} (${name}, ${options.scope}). It is not shown again.\n`);
      }
    });
  command
    .command("list")
    .description("list the tokens, revoked ones included; the tokens themselves are not known any more")
    .option("--json", "print as JSON")
    .action(async (options: { json?: boolean }) => {
      const { tokens } = await (await ask())("tokenList", {});
      if (options.json) printJson(tokens);
      else if (tokens.length === 0)
        print("there are no tokens: make one with `understudy token create NAME`");
      else {
        const rows = tokens.map(({ id, name, scope, createdAt, revokedAt }) => [
          id,
          name,
          scope,
          createdAt,
          revokedAt === undefined ? "valid" : `revoked ${revokedAt}`,
        ]);
        print(table([["ID", "NAME", "SCOPE", "MADE", "STATE"], ...rows]));
      }
    });
  command
    .command("revoke <id>")
    .description("make a token invalid for ever, on both nodes; again is no error")
    .action(async (id: string) => print((await (await ask())("tokenRevoke", { id })).message));
}
