/** `understudy sessions`: the session database as the operator sees it: list, show, end, export, import. */

import { once } from "node:events";
import { createReadStream, createWriteStream } from "node:fs";
import { createInterface } from "node:readline";
import { finished } from "node:stream/promises";
import { type Command, InvalidArgumentError } from "commander";
import { loadConfig } from "../config/load.js";
import { cliError } from "../errors/cli.js";
import type { ControlCommands } from "../ipc/control.js";
import type { Session } from "../node/session-api.js";
import { type Ask, askerOf } from "./ask-node.js";
import { examples, globalOptions, print, printJson } from "./command.js";
import { exitCodes } from "./exit-codes.js";
import { linePages } from "./line-pages.js";
import { countText, table } from "./words.js";

interface ListOptions {
  readonly user?: string;
  readonly agent?: string;
  readonly ended?: boolean;
  readonly after?: string;
  readonly limit: number;
  readonly json?: boolean;
}

const pageSize = 1000;

export function define(command: Command): void {
  const ask = async (): Promise<Ask> =>
    askerOf(await loadConfig(globalOptions(command).config, globalOptions(command)));
  command
    .description("The session database. Looking works on either node; changing works on the one that serves.")
    .addHelpText(
      "after",
      examples(
        ["understudy sessions list --user ada", "what ada has"],
        ["understudy sessions end 01J5ZK3M…", "end one"],
        ["understudy sessions export sessions.jsonl", "all of them, ended ones included"],
        ["understudy sessions import sessions.jsonl", "adds what is missing, changes and ends nothing"],
      ),
    );
  defineLooking(command, ask);
  command
    .command("end <id>")
    .description(
      "end a session; says whether both nodes have it on disk (replicated) or only this one (solo)",
    )
    .action(async (id: string) => {
      const { acknowledgement } = await (await ask())("sessionsEnd", { id });
      print(`session ${id} is ended (${acknowledgement})`);
    });
  command
    .command("export [file]")
    .description("write every session as JSON lines, to the file or to standard output")
    .action(async (file: string | undefined) => exportTo(await ask(), file));
  command
    .command("import [file]")
    .description("read JSON lines as `export` wrote them, from the file or from standard input")
    .action(async (file: string | undefined) => importFrom(await ask(), file));
}

function defineLooking(command: Command, ask: () => Promise<Ask>): void {
  command
    .command("list")
    .description("list sessions, by id")
    .option("--user <user>", "only this user's")
    .option("--agent <agent>", "only those on this agent")
    .option("--ended", "ended ones too")
    .option("--after <id>", "only ids above this one: the next page")
    .option("--limit <count>", "at most so many", wholeNumber, 100)
    .option("--json", "one JSON object a line")
    .action(async (options: ListOptions) => list(await ask(), options));
  command
    .command("show <id>")
    .description("show all that is known of a session")
    .action(async (id: string) => printJson((await (await ask())("sessionsShow", { id })).session));
}

function wholeNumber(text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new InvalidArgumentError("it must be a whole number above 0");
  return Number(text);
}

async function list(ask: Ask, options: ListOptions): Promise<void> {
  let { after } = options;
  let left = options.limit;
  const rows: string[][] = [["ID", "USER", "AGENT", "STATE", "MADE"]];
  let stale = false;
  while (left > 0) {
    const page = await ask("sessionsList", listArgs(options, after, Math.min(left, pageSize)));
    stale ||= page.stale;
    const sessions = page.sessions as readonly Session[];
    for (const session of sessions) {
      if (options.json) print(JSON.stringify(session));
      else rows.push(rowOf(session));
    }
    left -= sessions.length;
    after = page.next;
    if (after === undefined) break;
  }
  if (!options.json) print(rows.length === 1 ? "no sessions" : table(rows));
  if (after !== undefined) process.stderr.write(`There are more: --after ${after}\n`);
  if (stale) process.stderr.write("This node may not know every session yet: see `understudy status`.\n");
}

function listArgs(
  { user, agent, ended }: ListOptions,
  after: string | undefined,
  limit: number,
): ControlCommands["sessionsList"]["args"] {
  return {
    limit,
    includeEnded: ended === true,
    ...(user === undefined ? {} : { user }),
    ...(agent === undefined ? {} : { agent }),
    ...(after === undefined ? {} : { after }),
  };
}

function rowOf({ id, user, agent, state, overLimit, createdAt }: Session): string[] {
  return [id, user, agent, overLimit ? `${state}, over limit` : state, createdAt];
}

async function exportTo(ask: Ask, file: string | undefined): Promise<void> {
  const out = file === undefined ? process.stdout : createWriteStream(file, { flags: "wx", mode: 0o600 });
  const opened = Promise.withResolvers<void>();
  if (file !== undefined) {
    out.once("open", () => opened.resolve());
    out.once("error", (cause: NodeJS.ErrnoException) =>
      opened.reject(
        cause.code === "EEXIST"
          ? cliError("CLI_EXISTS", `${file} exists already`, { cause })
          : cliError("CLI_NOT_WRITTEN", `cannot write ${file}: ${cause.message}`, { cause }),
      ),
    );
    await opened.promise;
  }
  let count = 0;
  let after: string | undefined;
  do {
    const page = await ask("sessionsExport", after === undefined ? {} : { after });
    count += page.lines.length;
    if (page.lines.length > 0 && !out.write(`${page.lines.join("\n")}\n`)) {
      await once(out, "drain");
    }
    after = page.next;
  } while (after !== undefined);
  if (file !== undefined) {
    out.end();
    await finished(out);
  }
  process.stderr.write(`${countText(count)} sessions exported\n`);
}

async function importFrom(ask: Ask, file: string | undefined): Promise<void> {
  const input = file === undefined ? process.stdin : createReadStream(file);
  let added = 0;
  let known = 0;
  let wrong = 0;
  for await (const lines of linePages(createInterface({ input, crlfDelay: Infinity }))) {
    const page = await ask("sessionsImport", { lines });
    added += page.added;
    known += page.known;
    wrong += page.wrong.length;
    for (const line of page.wrong) process.stderr.write(`not imported: ${line}\n`);
  }
  print(`${countText(added)} added, ${countText(known)} known already, ${countText(wrong)} not understood`);
  if (wrong > 0) process.exitCode = exitCodes.failed;
}
