/**
 * `understudy check`: everything that is wrong with the config file, with the plugins it names and with the key file, in
 * one go. Works on any machine; on one of the two nodes it looks at the key too.
 */

import type { Command } from "commander";
import type { Config, LocalConfig } from "../config/config.js";
import { configFileName } from "../config/load.js";
import { parseConfig } from "../config/parse.js";
import { type FoundFile, readConfigFile } from "../config/read-file.js";
import { thisMachine, whichNode } from "../config/which-node.js";
import { UnderstudyError } from "../errors/error.js";
import { readKeyFile } from "../keys/key-file.js";
import { checkPlugins, type Loaded } from "../plugin/host.js";
import { pluginProblems } from "./check-plugins.js";
import { examples, type GlobalOptions, globalOptions, print, printJson } from "./command.js";
import { exitCodeOf } from "./exit-codes.js";
import { askStrangers, namedPlugins } from "./named-plugins.js";

export function define(command: Command): void {
  command
    .description(
      "Reads the config file as a node would and names every mistake: where, what was found, what is allowed. Imports " +
        "the plugins it names and lets each judge its options. On one of the two nodes the key file is checked too.",
    )
    .option("--json", "print the result as JSON")
    .addHelpText(
      "after",
      examples(
        ["understudy check", "the installed config"],
        ["understudy --config new.yaml check", "a config before it is installed"],
      ),
    )
    .action(async (options: { json?: boolean }) => {
      const result = await check(globalOptions(command));
      if (options.json === true) printJson(asJson(result));
      else printResult(result);
      const [first] = result.problems;
      process.exitCode = first === undefined ? 0 : exitCodeOf(first);
    });
}

export interface CheckResult {
  readonly file: string;
  readonly digest: string | undefined;
  /** The node that this machine is; undefined when it is neither. */
  readonly self: string | undefined;
  readonly plugins: readonly Loaded[];
  readonly problems: readonly UnderstudyError[];
  /** What is no mistake but worth knowing. */
  readonly notes: readonly string[];
}

export async function check(options: GlobalOptions): Promise<CheckResult> {
  const nothing = { digest: undefined, self: undefined, plugins: [], notes: [] };
  let file = configFileName(options.config);
  let text: string | undefined;
  try {
    const found = await readConfigFile(file);
    file = found.file;
    text = found.text;
    return await checkParsed(found, options.node);
  } catch (error) {
    // Whoever mends the file shall not find out afterwards that its plugins have mistakes too.
    const more = text === undefined ? [] : await pluginProblems(text, file);
    return { ...nothing, file, problems: [expected(error), ...more] };
  }
}

async function checkParsed({ file, text }: FoundFile, node: string | undefined): Promise<CheckResult> {
  const config = parseConfig(text, file);
  const problems: UnderstudyError[] = [];
  const notes: string[] = [];
  let self: LocalConfig["self"] | undefined;
  try {
    self = whichNode(config, node, thisMachine());
  } catch (error) {
    // Somebody may well check a config on the machine where it is written.
    if (node !== undefined) problems.push(expected(error));
    else notes.push(`${expected(error).message}; a node would refuse to start here`);
  }
  const [primary, secondary] = config.nodes;
  const { faulty } = await askStrangers(namedPlugins(text), file);
  problems.push(...faulty.flatMap((one) => one.problems));
  const usable = withoutEntries(config, new Set(faulty.map(({ entry }) => entry.at)));
  const peer = self === secondary ? primary : secondary;
  let plugins: readonly Loaded[] = [];
  try {
    plugins = await checkPlugins({ file, config: usable, self: self ?? primary, peer });
  } catch (error) {
    problems.push(expected(error));
  }
  if (self !== undefined) {
    try {
      readKeyFile(config.keyFile);
    } catch (error) {
      problems.push(expected(error));
    }
  }
  return { file, digest: config.digest, self: self?.name, plugins, problems, notes };
}

/** Without those whose places are named. */
function withoutEntries(config: Config, places: ReadonlySet<string>): Config {
  const kept = <E extends { readonly at: string }>(entries: readonly E[]) =>
    entries.filter(({ at }) => !places.has(at));
  return {
    ...config,
    heartbeat: { ...config.heartbeat, paths: kept(config.heartbeat.paths) },
    address: kept(config.address),
    sessions: config.sessions && kept([config.sessions])[0],
    services: kept(config.services),
    arbiters: kept(config.arbiters),
    fences: kept(config.fences),
    observers: kept(config.observers),
  };
}

function expected(error: unknown): UnderstudyError {
  if (error instanceof UnderstudyError) return error;
  throw error;
}

function asJson({ problems, plugins, ...rest }: CheckResult): unknown {
  return {
    ok: problems.length === 0,
    ...rest,
    plugins: plugins.map(({ entry, plugin, packageName, version }) => ({
      at: entry.at,
      kind: plugin.kind,
      package: packageName,
      version,
      process: plugin.runsIn,
    })),
    problems: problems.map(({ code, message, meaning, todo, details }) => ({
      code,
      message,
      meaning,
      todo,
      details,
    })),
  };
}

function printResult({ file, digest, self, plugins, problems, notes }: CheckResult): void {
  for (const { message, meaning, todo, code } of problems) {
    print(`${message}\n  ${meaning}\n  ${todo}\n  [${code}]\n`);
  }
  for (const note of notes) print(`note: ${note}`);
  if (problems.length > 0) return;
  print(`${file} is right`);
  print(`  this node     ${self ?? "neither of the two"}`);
  print(`  plugins       ${plugins.map(({ plugin }) => `${plugin.kind} ${plugin.name}`).join(", ")}`);
  print(`  digest        ${digest} (must be the same on both nodes)`);
}
