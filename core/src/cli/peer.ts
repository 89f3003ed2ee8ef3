/**
 * `understudy peer forget`: for an other node that is gone for good (rule R19). `understudy peer confirm-dead`: for one that
 * no fence can switch off (rule R32).
 */

import { createInterface } from "node:readline/promises";
import type { Command } from "commander";
import { loadConfig } from "../config/load.js";
import { cliError } from "../errors/cli.js";
import { askerOf } from "./ask-node.js";
import { examples, globalOptions, print } from "./command.js";

const meaning = `This node will no longer wait for the other one:
  - it may drop the records of ended sessions that the other node has not confirmed
  - it answers "no such session" for what it does not know, instead of "not known yet"
Sessions that only the other node has are not lost: if it ever returns, it first hands over what it
had not sent, and is then filled anew from here.`;

const deadMeaning = `This node will take the HA address without waiting for a fence, as soon as nothing else is in the way.
Be certain: if the other node still runs, both answer for the address and clients meet either.
It holds until the other node is heard again, and is refused while it is heard now.`;

export function define(command: Command): void {
  command.description("The other node of the pair, as this one remembers it.");
  command
    .command("forget")
    .description(`forget the other node, because it is gone for good or was set up anew.\n\n${meaning}`)
    .option("--yes", "do not ask")
    .addHelpText("after", examples(["understudy peer forget", "after its disk has died"]))
    .action(async ({ yes }: { yes?: boolean }) => {
      const ask = askerOf(await loadConfig(globalOptions(command).config, globalOptions(command)));
      const { peerName, pulse } = await ask("status", {});
      if (pulse?.peer.alive)
        print(`NOTE: ${peerName} is there now. Forgetting it is for a node that will not come back.`);
      if (!yes) await confirm(meaning, `Forget ${peerName}?`, peerName);
      print((await ask("peerForget", {})).message);
    });
  command
    .command("confirm-dead")
    .description(`confirm that the other node is off, in place of a fence that cannot.\n\n${deadMeaning}`)
    .option("--yes", "do not ask")
    .addHelpText("after", examples(["understudy peer confirm-dead", "after its plug was pulled"]))
    .action(async ({ yes }: { yes?: boolean }) => {
      const ask = askerOf(await loadConfig(globalOptions(command).config, globalOptions(command)));
      const { peerName } = await ask("status", {});
      if (!yes) await confirm(deadMeaning, `Is ${peerName} off?`, peerName);
      print((await ask("peerConfirmDead", {})).message);
    });
}

async function confirm(what: string, question: string, peerName: string): Promise<void> {
  if (!process.stdin.isTTY) throw cliError("CLI_USAGE", "without a terminal to ask on, say --yes");
  print(what);
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  const answer = await terminal.question(`${question} Type its name: `);
  terminal.close();
  if (answer.trim() !== peerName) throw cliError("CLI_USAGE", `that is not ${peerName}: nothing was changed`);
}
