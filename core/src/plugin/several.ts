/** Several mistakes of plugins as one error that names them all: a person mends them in one go. */

import type { UnderstudyError } from "../errors/error.js";
import { pluginError } from "../errors/plugins.js";

/** The only one as it is; several as PLUGINS_WRONG, whose cause is the list of them. */
export function asOne(problems: readonly UnderstudyError[]): UnderstudyError {
  const all = problems.flatMap(singly);
  const [only] = all;
  if (only !== undefined && all.length === 1) return only;
  const lines = all.map(({ message, code, todo }) => `- ${message}\n  ${todo} [${code}]`);
  return pluginError("PLUGINS_WRONG", `${all.length} things are wrong with plugins:\n${lines.join("\n")}`, {
    cause: all,
    details: { problems: all.map(({ code, message, details }) => ({ code, message, ...details })) },
  });
}

/** Undoes `asOne`. */
export function singly(error: UnderstudyError): readonly UnderstudyError[] {
  return error.code === "PLUGINS_WRONG" && Array.isArray(error.cause)
    ? (error.cause as readonly UnderstudyError[])
    : [error];
}
