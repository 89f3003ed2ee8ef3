/** How a person writes a command in the config, the same in every plugin that runs one. */

import { z } from "zod";

export const commandSchema = z.union([
  z.tuple([z.string().min(1)], z.string()),
  z.strictObject({ shell: z.string().min(1).describe("A line that sh -c runs.") }),
]);

/** Options of a plugin that say what to run: `[program, argument, …]`, or `{ shell: "a | b" }` for `sh -c`. */
export function commandOption(what: string) {
  return commandSchema.describe(
    `${what} A list of program and arguments, run without a shell; or { shell: "line" } to have sh -c run it.`,
  );
}
