/**
 * `understudy config schema`: the JSON schema of the config file, with the options of every plugin that is installed or
 * that the config names, so that an editor completes and checks it while it is written.
 */

import type { Command } from "commander";
import { parseDocument } from "yaml";
import { fileJsonSchema, type KnownPlugin } from "../config/json-schema.js";
import { configFileName, type FoundFile, readConfigFile } from "../config/read-file.js";
import { explain, UnderstudyError } from "../errors/error.js";
import { type Introduction, introduceHere } from "../plugin/introduction.js";
import { pluginKinds } from "../plugin/kinds.js";
import { installedNames } from "../plugin/resolve.js";
import { examples, type GlobalOptions, globalOptions, printJson } from "./command.js";
import { askStrangers, type Named, namedPlugins, namesOf } from "./named-plugins.js";

export function define(command: Command): void {
  command.description("Prints what editors need to know of the config file.");
  command
    .command("schema")
    .description(
      "Prints the JSON schema of the config file, with the options of the plugins that came with Understudy and of those that " +
        "the config names. What is wrong with a plugin is said on standard error; the schema is then without its options.",
    )
    .addHelpText(
      "after",
      examples(
        ["understudy config schema > understudy.schema.json", "for the line that editors read:"],
        ["# yaml-language-server: $schema=understudy.schema.json", "at the top of the YAML file"],
        ["understudy --config new.yaml config schema", "with the plugins that new.yaml names"],
      ),
    )
    .action(() => printSchema(globalOptions(command)));
}

async function printSchema(options: GlobalOptions): Promise<void> {
  const found = await configIfAny(options);
  const installed = await installedPlugins();
  const named = found === undefined ? [] : await namedByConfig(found);
  printJson(fileJsonSchema([...installed, ...named]));
}

/** A file that was asked for must be there; without one at the default place there is nothing to take into account. */
async function configIfAny({ config: asked }: GlobalOptions): Promise<FoundFile | undefined> {
  try {
    return await readConfigFile(configFileName(asked));
  } catch (error) {
    if (asked || process.env.UNDERSTUDY_CONFIG || !(error instanceof UnderstudyError)) throw error;
    if (error.code !== "CONFIG_MISSING")
      note("the schema is without the plugins that the config names", error);
    return undefined;
  }
}

async function installedPlugins(): Promise<readonly KnownPlugin[]> {
  const known: KnownPlugin[] = [];
  for (const kind of pluginKinds) {
    for (const plugin of [...new Set(installedNames(kind))].sort()) {
      try {
        const asked = { entry: { plugin, at: "" }, kinds: [kind], configFile: import.meta.filename };
        known.push(...knownAs(await introduceHere(asked), namesOf(plugin, kind)));
      } catch (error) {
        if (!(error instanceof UnderstudyError)) throw error;
        note(`the schema is without the options of ${plugin}`, error);
      }
    }
  }
  return known;
}

async function namedByConfig({ file, text }: FoundFile): Promise<readonly KnownPlugin[]> {
  const [problem] = parseDocument(text).errors;
  if (problem !== undefined)
    process.stderr.write(
      `understudy: ${file} is no YAML that can be read, so the schema is without the plugins that it names\n` +
        "  `understudy check` says what is wrong with it.\n",
    );
  const named = new Map(namedPlugins(text).map((one) => [`${one.kind} ${one.entry.plugin}`, one]));
  const { introduced, faulty } = await askStrangers([...named.values()], file);
  for (const { entry, problems } of faulty)
    for (const one of problems) note(`the schema is without the options of ${entry.plugin}`, one);
  return introduced.flatMap(({ entry, introduction }: Named & { readonly introduction: Introduction }) =>
    knownAs(introduction, [entry.plugin]),
  );
}

function knownAs({ kind, schema }: Introduction, names: readonly string[]): readonly KnownPlugin[] {
  return schema === undefined ? [] : [{ kind, names, options: schema }];
}

function note(what: string, why: UnderstudyError): void {
  process.stderr.write(`understudy: ${what}: ${explain(why)}\n`);
}
