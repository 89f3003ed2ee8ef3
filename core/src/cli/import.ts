/**
 * `understudy import`: makes our config from the files of Heartbeat or keepalived, and a report of what became of every
 * line. Writes nothing over anything, and nothing that `understudy check` would refuse.
 */

import { existsSync, globSync, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import type { Command } from "commander";
import { parseConfig } from "../config/parse.js";
import { cliError } from "../errors/cli.js";
import { importError } from "../errors/import.js";
import type { Answers, Imported, NodeAnswer } from "../import/answers.js";
import { importHeartbeat } from "../import/heartbeat/translate.js";
import type { SourceFile } from "../import/keepalived/source-lines.js";
import { importKeepalived } from "../import/keepalived/translate.js";
import { reportText } from "../import/report.js";
import { newKeyRing, readKeyFile, writeKeyFile } from "../keys/key-file.js";
import { checkPlugins } from "../plugin/host.js";
import { examples, print } from "./command.js";
import { readForeign } from "./read-foreign.js";
import { writeNewFile } from "./write-file.js";

interface ImportOptions {
  readonly address: readonly NodeAnswer[];
  readonly haAddress: readonly string[];
  readonly path: ReadonlyMap<string, readonly [string, string]>;
  readonly cluster?: string;
  readonly keepTimes?: boolean;
  readonly configId?: string;
  readonly output?: string;
  readonly report?: string;
  readonly key?: string;
}

export function define(command: Command): void {
  command.description(
    "Reads the configuration of another program and prints ours, with a report on standard error that says of every line " +
      "whether it was taken over, changed in meaning, or dropped, and why. What the files leave open is asked for, all at once.",
  );
  withOptions(command.command("heartbeat <folder>"))
    .description("from Linux-HA Heartbeat: ha.cf, haresources and authkeys in a folder, such as /etc/ha.d")
    .addHelpText(
      "after",
      examples(
        ["understudy import heartbeat /etc/ha.d --address a=10.0.0.2 \\", ""],
        ["  --address b=10.0.0.3 --ha-address 10.0.0.4/24 \\", "the addresses are not in ha.cf"],
        ["  --output pair.yaml --report pair.txt", "instead of standard output and error"],
      ),
    )
    .action(async (folder: string, options: ImportOptions) =>
      finish(fromHeartbeat(folder, options), options),
    );
  withOptions(command.command("keepalived <file>"))
    .option("--config-id <name>", "which of the lines count that begin with @, as keepalived's own option")
    .description("from the VRRP part of keepalived.conf; what it includes is read too")
    .addHelpText(
      "after",
      examples(
        ["understudy import keepalived /etc/keepalived/keepalived.conf \\", ""],
        ["  --address lb1=10.0.0.2 --address lb2=10.0.0.3", "the primary first"],
      ),
    )
    .action(async (file: string, options: ImportOptions) => finish(fromKeepalived(file, options), options));
}

/** Resolves as glob(7) does, relative to the folder of the file that includes. */
function readInclude(pattern: string, from: string): readonly SourceFile[] {
  return (
    globSync(resolve(dirname(from), pattern))
      .sort()
      // A link may lead nowhere.
      .filter((file) => statSync(file, { throwIfNoEntry: false })?.isFile())
      .map((file) => ({ file, text: readForeign(file) }))
  );
}

function fromKeepalived(file: string, options: ImportOptions): Imported {
  return importKeepalived({ file, text: readForeign(file) }, readInclude, answersOf(options));
}

function withOptions(command: Command): Command {
  return command
    .option(
      "--address <name=ip>",
      "a node's own address, several with commas; the primary first",
      nodeAnswer,
      [],
    )
    .option(
      "--ha-address <ip/prefix>",
      "an HA address with its prefix length",
      (text, all: string[]) => [...all, text],
      [],
    )
    .option(
      "--path <interface=ip,ip>",
      "addresses of primary and secondary on a further network",
      pathAnswer,
      new Map(),
    )
    .option("--cluster <name>", "name of the pair")
    .option("--keep-times", "keep the other program's dead time instead of letting it be found out")
    .option("--key <file>", "make a new key there, unless there is one")
    .option("--output <file>", "write the config there; a file that exists is left alone")
    .option("--report <file>", "write the report there; a file that exists is left alone");
}

function nodeAnswer(text: string, all: readonly NodeAnswer[]): readonly NodeAnswer[] {
  const [name = "", list = "", more] = text.split("=");
  if (name.trim() === "" || list === "" || more !== undefined)
    throw cliError("CLI_USAGE", `--address ${text}: write it as name=address, such as node-a=10.0.0.2`);
  const addresses = list.split(",").map((address) => address.trim());
  return [...all, { name: name.trim(), addresses }];
}

type PathAnswers = ReadonlyMap<string, readonly [string, string]>;

function pathAnswer(text: string, all: PathAnswers): PathAnswers {
  const [name = "", list = ""] = text.split("=");
  const [primary, secondary, more] = list.split(",").map((address) => address.trim());
  if (name === "" || !primary || !secondary || more !== undefined)
    throw cliError(
      "CLI_USAGE",
      `--path ${text}: write it as interface=primary,secondary, such as eth1=192.168.9.1,192.168.9.2`,
    );
  return new Map([...all, [name, [primary, secondary] as const]]);
}

function answersOf({ address, haAddress, path, cluster, keepTimes, configId }: ImportOptions): Answers {
  if (cluster !== undefined && !/^[a-zA-Z0-9][a-zA-Z0-9._-]{0,31}$/.test(cluster))
    throw cliError("CLI_USAGE", `--cluster ${cluster}: letters, digits, dots and hyphens, at most 32`);
  return {
    nodes: address,
    haAddresses: haAddress,
    paths: path,
    cluster,
    keepTimes: keepTimes === true,
    configId,
  };
}

function fromHeartbeat(folder: string, options: ImportOptions): Imported {
  const haCf = join(folder, "ha.cf");
  const found = statSync(folder, { throwIfNoEntry: false });
  if (found === undefined) throw importError("IMPORT_UNREADABLE", `there is no folder ${resolve(folder)}`);
  if (!found.isDirectory())
    throw importError("IMPORT_UNREADABLE", `${resolve(folder)} is a file: name the folder that holds it`);
  if (!existsSync(haCf)) throw importError("IMPORT_UNREADABLE", `there is no ha.cf in ${resolve(folder)}`);
  const optional = (name: string) =>
    existsSync(join(folder, name)) ? readForeign(join(folder, name)) : undefined;
  const files = {
    haCf: readForeign(haCf),
    haresources: optional("haresources"),
    authkeys: optional("authkeys"),
  };
  return importHeartbeat(files, answersOf(options));
}

async function finish({ text, entries, notes, missing }: Imported, options: ImportOptions): Promise<void> {
  const keyNote =
    options.key === undefined
      ? ["The key that both nodes share is not made yet: repeat with --key FILE, or use understudy init's."]
      : [];
  const report = reportText(entries, [...notes, ...keyNote]);
  if (text === undefined) {
    process.stderr.write(`${report}\n`);
    const list = missing.map(({ flag, why }) => `  ${flag}: ${why}`).join("\n");
    throw importError("IMPORT_INCOMPLETE", `this is missing:\n${list}`, { details: { missing } });
  }
  const whole =
    options.key === undefined ? text : `${text}keyFile: ${JSON.stringify(resolve(options.key))}\n`;
  await mustBeRight(whole);
  for (const file of [options.output, options.report])
    if (file !== undefined && existsSync(file))
      throw cliError("CLI_EXISTS", `there is a file ${file} already`);
  if (options.report === undefined) process.stderr.write(report);
  else writeNewFile(options.report, report, 0o644, false);
  if (options.output === undefined) print(whole);
  else {
    writeNewFile(options.output, whole, 0o644, false);
    process.stderr.write(`wrote ${options.output}\n`);
  }
  if (options.key !== undefined) makeKey(resolve(options.key));
}

/** As `understudy check` judges it, the plugins' options included. */
async function mustBeRight(text: string): Promise<void> {
  const file = resolve("imported.yaml");
  try {
    const config = parseConfig(text, file);
    const [self, peer] = config.nodes;
    await checkPlugins({ file, config, self, peer });
  } catch (cause) {
    throw importError("IMPORT_UNSOUND", (cause as Error).message, { cause });
  }
}

function makeKey(file: string): void {
  if (existsSync(file)) {
    readKeyFile(file);
    process.stderr.write(`kept the key ${file}, which was there already\n`);
    return;
  }
  writeKeyFile(file, newKeyRing());
  process.stderr.write(
    `wrote ${file}: the key that both nodes share; copy it to the other node over a safe way\n`,
  );
}
