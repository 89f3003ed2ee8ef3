/**
 * The mistakes in the options of plugins in a file that is wrong elsewhere: what can be recognized as an entry is judged,
 * so that all that is wrong with a file is told at once.
 */

import { UnderstudyError } from "../errors/error.js";
import { loadPlugin } from "../plugin/load-plugin.js";
import { singly } from "../plugin/several.js";
import { askStrangers, namedPlugins } from "./named-plugins.js";

/** Never throws for a file: what cannot be read as entries is for the schema of the file. */
export async function pluginProblems(text: string, file: string): Promise<readonly UnderstudyError[]> {
  const named = namedPlugins(text);
  const { faulty } = await askStrangers(named, file);
  const problems = new Map(faulty.map(({ entry, problems: found }) => [entry.at, found]));
  const judged = await Promise.all(
    named.map(async ({ kind, entry }): Promise<readonly UnderstudyError[]> => {
      const known = problems.get(entry.at);
      if (known !== undefined) return known;
      try {
        await loadPlugin(entry, kind, file);
        return [];
      } catch (error) {
        if (error instanceof UnderstudyError) return singly(error);
        throw error;
      }
    }),
  );
  return judged.flat();
}
