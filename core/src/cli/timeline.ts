/** `understudy timeline`: what happened, from both nodes, in one order; the answer to "why did the role change". */

import { type Command, InvalidArgumentError } from "commander";
import { loadConfig } from "../config/load.js";
import type { TimelineEntry } from "../plugin/contract.js";
import { askerOf } from "./ask-node.js";
import { examples, globalOptions, print } from "./command.js";
import { timelineLines } from "./timeline-text.js";

interface TimelineOptions {
  readonly limit: number;
  readonly local?: boolean;
  readonly json?: boolean;
  readonly follow?: boolean;
}

const followEveryMs = 1000;

export function define(command: Command): void {
  command
    .description(
      "Shows what both nodes recorded, in the order in which it happened: their clocks are compared over the link, so " +
        "that causes come before effects. Each line names the rules of the design that decided.",
    )
    .option("--limit <count>", "so many of the newest entries", wholeNumber, 50)
    .option("--local", "only this node's own record")
    .option("--json", "one JSON object a line, with all details")
    .option("--follow", "go on printing what happens, until interrupted")
    .addHelpText(
      "after",
      examples(
        ["understudy timeline", "the last fifty entries"],
        ["understudy timeline --limit 1000 | grep role", "every change of role"],
        ["understudy timeline --follow", "live, in a second window"],
      ),
    )
    .action(async (options: TimelineOptions) => {
      const ask = askerOf(await loadConfig(globalOptions(command).config, globalOptions(command)));
      const question = { limit: options.limit, local: options.local === true };
      const show = (entries: readonly TimelineEntry[]): void => {
        if (entries.length === 0) return;
        print(
          options.json ? entries.map((entry) => JSON.stringify(entry)).join("\n") : timelineLines(entries),
        );
      };
      const first = await ask("timeline", question);
      show(first.entries);
      if (first.note !== undefined) process.stderr.write(`${first.note}\n`);
      if (!options.follow) return;
      const seen = new Set(first.entries.map(keyOf));
      for (;;) {
        await new Promise((resolve) => setTimeout(resolve, followEveryMs));
        const { entries } = await ask("timeline", { ...question, limit: Math.max(200, options.limit) });
        const fresh = entries.filter((entry) => !seen.has(keyOf(entry)));
        for (const entry of fresh) seen.add(keyOf(entry));
        show(fresh);
      }
    });
}

function keyOf({ node, monotonicMs, what }: TimelineEntry): string {
  return `${node} ${monotonicMs} ${what}`;
}

function wholeNumber(text: string): number {
  if (!/^[1-9]\d{0,4}$/.test(text))
    throw new InvalidArgumentError("it must be a whole number from 1 to 99999");
  return Number(text);
}
