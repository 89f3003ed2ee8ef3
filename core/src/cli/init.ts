/**
 * `understudy init`: asks the few things that only the owner knows, writes the one config file with comments and the
 * shared key, and says what comes next. Nothing that exists is overwritten unasked.
 */

import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { createInterface } from "node:readline/promises";
import { type Command, Option } from "commander";
import { configFileName } from "../config/load.js";
import { parseConfig } from "../config/parse.js";
import { cliError } from "../errors/cli.js";
import { newKeyRing, readKeyFile, writeKeyFile } from "../keys/key-file.js";
import { examples, globalOptions, print } from "./command.js";
import { type Answers, configText, type Question, questions } from "./init-text.js";
import { writeNewFile } from "./write-file.js";

interface InitOptions extends Partial<Answers> {
  readonly key?: string;
  readonly force?: boolean;
}

export function define(command: Command): void {
  command.description(
    "Writes the config file of a new pair and the key that both nodes share. Asks for what is not given as an option, " +
      "if there is somebody to ask. A key that is already there is kept, so that init can be repeated.",
  );
  for (const { name, placeholder, help } of questions) {
    command.addOption(new Option(`--${name} <${placeholder}>`, help));
  }
  command
    .option("--key <file>", "where the key goes (default: /etc/understudy/key)")
    .option("--force", "replace a config file that is there; the key is kept even so")
    .addHelpText(
      "after",
      examples(
        ["understudy init", "asks four things"],
        ["understudy init --cluster tlha --primary a=10.0.0.2 \\", ""],
        ["  --secondary b=10.0.0.3 --address 10.0.0.4/24", "asks nothing"],
        ["understudy --config pair.yaml init --key ./key", "files of your own choice"],
      ),
    )
    .action(async (options: InitOptions) => init(configFileName(globalOptions(command).config), options));
}

async function init(file: string, options: InitOptions): Promise<void> {
  if (existsSync(file) && options.force !== true) {
    throw cliError("CLI_EXISTS", `there is a config file ${file} already`);
  }
  const answers = await answerAll(options);
  const keyFile = resolve(options.key ?? "/etc/understudy/key");
  const text = configText(answers, keyFile);
  const config = parseConfig(text, file);
  writeNewFile(file, text, 0o644, options.force === true);
  print(`wrote ${file}`);
  if (existsSync(config.keyFile)) {
    readKeyFile(config.keyFile);
    print(`kept the key ${config.keyFile}, which was there already`);
  } else {
    writeKeyFile(config.keyFile, newKeyRing());
    print(`wrote ${config.keyFile}: the key that both nodes share; whoever has it can take the address over`);
  }
  const [primary, secondary] = config.nodes;
  print(`
Next:
  1. Copy both files to the other node, the key over a safe way:
       scp -p ${file} ${config.keyFile} root@${secondary.addresses[0]}:/etc/understudy/
     (or to ${primary.addresses[0]}, if this is ${secondary.name})
  2. On both nodes: understudy check, then understudy doctor.
  3. On both nodes: systemctl enable --now understudy-pulse understudy-node   (or: understudy run)
  4. understudy status`);
}

async function answerAll(given: Partial<Answers>): Promise<Answers> {
  const missing = questions.filter(({ name }) => given[name] === undefined);
  if (missing.length > 0 && !process.stdin.isTTY) {
    const names = missing.map(({ name }) => `--${name}`).join(", ");
    throw cliError("CLI_USAGE", `there is nobody to ask here, and these are missing: ${names}`);
  }
  const answers: Record<string, string> = {};
  const terminal =
    missing.length > 0 ? createInterface({ input: process.stdin, output: process.stderr }) : undefined;
  try {
    for (const question of questions) {
      const { name } = question;
      answers[name] =
        given[name] ?? (await ask(question, (text) => terminal?.question(text) ?? Promise.resolve("")));
      const problem = question.problem(answers[name]);
      if (problem !== undefined) throw cliError("CLI_USAGE", `--${name} ${answers[name]}: ${problem}`);
    }
  } finally {
    terminal?.close();
  }
  return answers as Record<keyof Answers, string>;
}

async function ask(question: Question, prompt: (text: string) => Promise<string>): Promise<string> {
  for (;;) {
    const answer = (
      await prompt(`${question.text}${question.fallback === "" ? "" : ` [${question.fallback}]`}: `)
    ).trim();
    const value = answer === "" ? question.fallback : answer;
    const problem = question.problem(value);
    if (problem === undefined) return value;
    process.stderr.write(`  ${problem}\n`);
  }
}
