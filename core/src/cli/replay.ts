/** `understudy replay`: runs what a node recorded through the decision core again, and says why its role changed. */

import type { Command } from "commander";
import { type Replay, replayRecording } from "../pulse/replay.js";
import { examples, print, printJson } from "./command.js";
import { exitCodes } from "./exit-codes.js";
import { ageText, countText, table } from "./words.js";

export function define(command: Command): void {
  command
    .description(
      "Feeds a recording to the decision core of this version: the same events must lead to the same actions. Needs no " +
        "running node and no config. Exit code 1 when this version would have acted differently.",
    )
    .argument("<path>", "a recording, or the folder of them: <state>/recording")
    .option("--json", "print everything as JSON")
    .addHelpText(
      "after",
      examples(["understudy replay /var/lib/understudy/recording", "all that this node still has"]),
    )
    .action(async (path: string, options: { json?: boolean }) => {
      const replay = await replayRecording(path);
      if (options.json) printJson(replay);
      else print(replayText(replay));
      process.exitCode = replay.divergence === undefined ? exitCodes.ok : exitCodes.failed;
    });
}

/** Exported for its test: pure. */
export function replayText(replay: Replay): string {
  const { node, software, files, events, fromMs, toMs, records, divergence, damagedLines } = replay;
  const span = events === 0 ? "no time" : ageText(toMs - fromMs);
  const head = `${node}: ${countText(events)} events in ${files} file(s) over ${span}, recorded by version ${software.join(", ")}`;
  const rows = records.map(({ atMs, kind, what, rules }) => [
    `${((atMs - fromMs) / 1000).toFixed(3)} s`,
    kind,
    rules.length === 0 ? what : `${what} [${rules.join(" ")}]`,
  ]);
  const damage = damagedLines === 0 ? [] : [`${damagedLines} line(s) could not be read and were left out.`];
  const verdict =
    divergence === undefined
      ? ["This version does the same."]
      : [
          `This version acts differently at ${divergence.file}:${divergence.line}, event ${divergence.event.type}:`,
          `  then: ${divergence.recorded}`,
          `  now:  ${divergence.replayed}`,
        ];
  return [head, ...(rows.length === 0 ? [] : [table(rows)]), ...damage, ...verdict].join("\n");
}
