/**
 * `understudy plugins`: what the config names, in which version and process; and for one plugin its options with types
 * and defaults, from its own schema.
 */

import type { Command } from "commander";
import { configFileName } from "../config/load.js";
import type { OptionText } from "../config/options.js";
import { parseConfig } from "../config/parse.js";
import { readConfigFile } from "../config/read-file.js";
import { nearestWord } from "../config/words.js";
import { cliError } from "../errors/cli.js";
import type { PluginKind } from "../plugin/contract.js";
import { checkPlugins } from "../plugin/host.js";
import { type Introduction, introduce, introduceHere, isFaulty } from "../plugin/introduction.js";
import { pluginKinds } from "../plugin/kinds.js";
import { installedNames } from "../plugin/resolve.js";
import { asOne } from "../plugin/several.js";
import { examples, type GlobalOptions, globalOptions, print, printJson } from "./command.js";
import { askStrangers, isInstalled, namedPlugins } from "./named-plugins.js";

export function define(command: Command): void {
  command
    .description("Lists the plugins that the config names: where, kind, name, package, version, process.")
    .option("--json", "print as JSON")
    .action(async (options: { json?: boolean }) => list(globalOptions(command), options.json === true));
  command
    .command("show <name>")
    .description("show the options of a plugin: types, defaults and what they are for")
    .option("--kind <kind>", `which kind is meant when several have that name: ${pluginKinds.join(", ")}`)
    .addHelpText(
      "after",
      examples(
        ["understudy plugins show udp", "by its short name"],
        ["understudy plugins show ./my-plugin.js --kind service", "by its path, seen from the config file"],
      ),
    )
    .action(async (name: string, options: { kind?: string }) =>
      show(name, options.kind, globalOptions(command)),
    );
  command
    .command("installed")
    .description("list the plugins that came with this installation, also those the config does not name")
    .action(() => {
      for (const kind of pluginKinds)
        print(`${kind.padEnd(10)} ${installedNames(kind).join(", ") || "none"}`);
    });
}

async function list({ config: place }: GlobalOptions, json: boolean): Promise<void> {
  const { file, text } = await readConfigFile(configFileName(place));
  const config = parseConfig(text, file);
  // Both nodes have the same plugins: any machine may list them.
  const [self, peer] = config.nodes;
  // Whose code never lets go while it is loaded is to be said here, not to be loaded.
  const { faulty } = await askStrangers(namedPlugins(text), file);
  const [first] = faulty;
  if (first !== undefined) throw asOne(faulty.flatMap(({ problems }) => problems));
  const loaded = await checkPlugins({ file, config, self, peer });
  const rows = loaded.map(({ entry, plugin, packageName, version }) => ({
    at: entry.at,
    kind: plugin.kind,
    name: plugin.name,
    package: packageName,
    version,
    process: plugin.kind === "store" ? "node (session thread)" : plugin.runsIn,
  }));
  if (json) printJson(rows);
  else
    print(
      table([
        ["where", "kind", "name", "package", "version", "runs in"],
        ...rows.map((row) => Object.values(row)),
      ]),
    );
}

function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

async function show(name: string, asked: string | undefined, { config }: GlobalOptions): Promise<void> {
  const among = kindsOf(name, asked);
  const { kind, packageName, version, runsIn, options, ...one } = await findAny(
    name,
    among,
    configFileName(config),
  );
  print(`${kind} ${one.name}: ${packageName} ${version}, runs in ${runsIn}`);
  print(options.length === 0 ? "\nIt has no options." : `\n${options.map(formatOption).join("\n")}`);
}

function kindsOf(name: string, asked: string | undefined): readonly PluginKind[] {
  if (asked !== undefined) {
    const kind = pluginKinds.find((known) => known === asked);
    if (kind === undefined)
      throw cliError("CLI_USAGE", `--kind ${asked}: the kinds are ${pluginKinds.join(", ")}`);
    return [kind];
  }
  const byName = pluginKinds.filter((kind) => installedNames(kind).includes(name));
  return byName.length > 0 ? byName : pluginKinds;
}

async function findAny(
  name: string,
  among: readonly PluginKind[],
  configFile: string,
): Promise<Introduction> {
  // "transport-udp" is how the package is called, and a person may well write it.
  const kind = pluginKinds.find((one) => name.startsWith(`${one}-`));
  const plugin = kind === undefined ? name : name.slice(kind.length + 1);
  const kinds = kind === undefined ? among : [kind];
  const asked = { entry: { plugin, at: "" }, kinds, configFile };
  const here = kinds.some((one) => isInstalled(plugin, one));
  const answer = here ? await introduceHere(asked) : await introduce(asked);
  if (!isFaulty(answer)) return answer;
  if (!answer.every(({ code }) => /^PLUGIN_(NOT_FOUND|WRONG_KIND)$/.test(code))) throw asOne(answer);
  const near = nearestWord(plugin, pluginKinds.flatMap(installedNames));
  const why = answer.map(({ message }) => message).join("; ");
  const hint = near === undefined ? `: ${why}` : `; did you mean ${near}?`;
  throw cliError("CLI_USAGE", `there is no plugin ${name} of kind ${among.join(", ")}${hint}`);
}

function formatOption({ path, type, fallback, required, description }: OptionText): string {
  const value = required ? "required" : fallback === undefined ? "optional" : `default ${fallback}`;
  return `${path}  (${type}; ${value})\n    ${description || "(not described)"}`;
}
