/** What a command that failed said of it, in one line: how it ended, and the last line of its output. */

import type { CommandResult } from "@understudy/core/public";

const mostLength = 300;

export function whyOf({ detail, output }: CommandResult): string {
  const lines = output.split("\n").map((line) => line.trim());
  const last = lines.findLast((line) => line !== "");
  return `${detail}${last === undefined ? "" : `, ${last.replaceAll(/\s+/g, " ")}`}`.slice(0, mostLength);
}
