/**
 * `understudy plugin`: for whoever writes a plugin. Makes a new package that works at once, and runs the conformance
 * suite of its kind against any package.
 */

import { spawn } from "node:child_process";
import { existsSync, readFileSync, statSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import type { Command } from "commander";
import { cliError } from "../errors/cli.js";
import { pluginError } from "../errors/plugins.js";
import { linkCore } from "../kit/link-core.js";
import { newNames } from "../kit/package-name.js";
import { writePackage } from "../kit/write-package.js";
import { conformanceFile, packageAround } from "../plugin/description.js";
import { isKind, pluginKinds } from "../plugin/kinds.js";
import { resolvePackageFolder } from "../plugin/resolve.js";
import { examples, print } from "./command.js";

export function define(command: Command): void {
  command.description("Makes a new plugin package, and tests any: for whoever writes a plugin.");
  command
    .command("new <kind> <name>")
    .description(
      "Writes a package with a small plugin that works, its tests, a README and an example into a new folder. " +
        `Kinds: ${pluginKinds.join(", ")}.`,
    )
    .option("--folder <folder>", "the folder to make (default: understudy-KIND-NAME, here)")
    .addHelpText(
      "after",
      examples(
        ["understudy plugin new transport pigeon", "makes understudy-transport-pigeon"],
        ["understudy plugin new observer @acme/pager", "makes the package @acme/understudy-observer-pager"],
      ),
    )
    .action((kind: string, name: string, options: { folder?: string }) =>
      makeNew(kind, name, options.folder),
    );
  command
    .command("test [package] [files...]")
    .description(
      "Runs the suite of its kind against a package: a folder, a module with its conformance, or the name of an " +
        "installed package. Test files named after it are run with it.",
    )
    .option("--kind <kind>", `the kind, where the package does not say it: ${pluginKinds.join(", ")}`)
    .option("--reporter <reporter>", "how results are shown: spec, tap, dot, junit (default: spec)")
    .addHelpText(
      "after",
      examples(
        ["understudy plugin test", "the package in this folder"],
        ["understudy plugin test . test/*.test.ts", "and its own tests"],
        ["understudy plugin test @acme/understudy-observer-pager", "an installed package, as it is shipped"],
      ),
    )
    .action(async (named: string | undefined, files: readonly string[], options: TestOptions) => {
      process.exitCode = await runTests(named ?? ".", files, options);
    });
  command
    .command("link [folder]")
    .description("Lets the compiler find the contract of this Understudy from a plugin's folder.")
    .action((folder: string | undefined) => makeLink(resolve(folder ?? ".")));
}

function makeNew(kind: string, name: string, asked: string | undefined): void {
  const names = newNames(kind, name);
  if ("why" in names) throw cliError("CLI_USAGE", names.why);
  const folder = resolve(asked ?? names.folder);
  const written = writePackage(names, folder);
  const shown = relative(process.cwd(), folder);
  print(`made the package ${names.packageName} in ${folder}`);
  for (const path of written) print(`  ${path}`);
  print(`\nIt works already. Try it, then make it yours (README.md says how):`);
  print(`  cd ${shown.startsWith("..") ? folder : shown}\n  understudy plugin test`);
}

function makeLink(folder: string): void {
  print(`.understudy/core is the contract now: that of ${link(folder)}`);
  if (looksForLink(folder)) return;
  print("The compiler looks there when compilerOptions of tsconfig.json say:");
  print('  "module": "nodenext", "types": ["node"],');
  print('  "paths": { "@understudy/core/*": ["./.understudy/core/dist/src/*.d.ts"] }');
}

interface TestOptions {
  readonly kind?: string;
  readonly reporter?: string;
}

const reporters = ["spec", "tap", "dot", "junit"];
const inside = (path: string) => fileURLToPath(new URL(path, import.meta.url));

/** The exit code: 0 passed, 1 failed, 2 not to be tested. */
async function runTests(named: string, files: readonly string[], options: TestOptions): Promise<number> {
  const { kind, reporter = "spec" } = options;
  if (kind !== undefined && !isKind(kind))
    throw cliError("CLI_USAGE", `--kind ${kind}: the kinds are ${pluginKinds.join(", ")}`);
  if (!reporters.includes(reporter))
    throw cliError("CLI_USAGE", `--reporter ${reporter}: the reporters are ${reporters.join(", ")}`);
  const absent = files.find((file) => !existsSync(file));
  if (absent !== undefined) throw cliError("CLI_USAGE", `there is no file ${absent}`);
  const module = suiteModule(named);
  const node = ["--enable-source-maps", `--test-reporter=${reporter}`];
  const suite = [...node, inside("../kit/run-suite.js"), module, ...(kind === undefined ? [] : [kind])];
  const codes = [await run(suite)];
  if (files.length > 0)
    codes.push(await run([...node, "--import", inside("../kit/lend-core.js"), "--test", ...files]));
  return Math.max(...codes);
}

/** The module with the conformance of what was named. */
function suiteModule(named: string): string {
  const path = resolve(named);
  if (/\.[cm]?[jt]s$/.test(named) && existsSync(path)) return path;
  const isFolder = statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
  if (!isFolder && existsSync(path))
    throw cliError(
      "CLI_USAGE",
      `${path} is no module (.js, .mjs, .cjs, .ts …), no folder, and no name of a package`,
    );
  const start = isFolder ? path : resolvePackageFolder(named, process.cwd());
  if (start === undefined) {
    const what = `there is no folder ${path}, and no package ${named} seen from ${process.cwd()}`;
    throw pluginError("PLUGIN_NOT_FOUND", what);
  }
  const around = packageAround(start);
  if (around === undefined)
    throw cliError("CLI_USAGE", `${start} is in no package: there is no package.json`);
  const { folder, description } = around;
  const file = conformanceFile(folder, description);
  if (file === undefined) {
    const { conformance } = description.understudy ?? {};
    const says =
      conformance === undefined
        ? "says nothing under understudy.conformance"
        : `names ${[conformance].flat().join(", ")} there, and there is no such file: build it first`;
    throw pluginError("PLUGIN_NO_SUITE", `the package.json of ${description.name} ${says}`);
  }
  if (looksForLink(folder)) link(folder);
  return file;
}

/** A package in the making, as `plugin new` writes it: the others find the contract's types in their own way. */
function looksForLink(folder: string): boolean {
  try {
    return readFileSync(join(folder, "tsconfig.json"), "utf8").includes(".understudy/core");
  } catch {
    return false;
  }
}

function link(folder: string): string {
  try {
    return linkCore(folder);
  } catch (cause) {
    const what = `cannot make ${join(folder, ".understudy/core")}: ${(cause as Error).message}`;
    throw cliError("CLI_NOT_WRITTEN", what, { cause });
  }
}

function run(args: readonly string[]): Promise<number> {
  // Called from within a test, node would report to that one instead of to whoever reads.
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const child = spawn(process.execPath, args, { stdio: "inherit", env });
  const pass = (signal: NodeJS.Signals) => void child.kill(signal);
  process.on("SIGINT", pass).on("SIGTERM", pass);
  return new Promise((settle, reject) => {
    child.once("error", reject);
    child.once("close", (code) => {
      process.off("SIGINT", pass).off("SIGTERM", pass);
      settle(code ?? 1);
    });
  });
}
