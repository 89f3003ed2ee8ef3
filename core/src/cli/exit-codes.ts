/** What the commands say to scripts: the exit code of every outcome, equal for all commands. */

import { CommanderError } from "commander";
import { UnderstudyError } from "../errors/error.js";

export const exitCodes = {
  ok: 0,
  failed: 1,
  /** The command line, the config, a plugin or the key is wrong. */
  usage: 2,
  notRunning: 3,
} as const;

export const exitCodesHelp = `
Exit codes:
  0  done, or all is well
  1  it failed; the text says why
  2  the command line, the config, a plugin or the key file is wrong
  3  no node is running here that could answer
  (status --check has the codes of monitoring instead: 0 ok, 1 warning, 2 critical, 3 unknown)
`;

const wrongInput = /^(CONFIG|PLUGINS?|KEY|IMPORT|CLI_USAGE|CLI_EXISTS)(_|$)/;
/** The input was right: it could not be done. */
const failure = /^(PLUGIN_START|PLUGIN_STOP|KEY_NOT_WRITTEN)/;

export function exitCodeOf(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.ok : exitCodes.usage;
  if (!(error instanceof UnderstudyError)) return exitCodes.failed;
  if (error.code === "CLI_NOT_RUNNING" || error.code === "CLI_ONLY_PULSE") return exitCodes.notRunning;
  return wrongInput.test(error.code) && !failure.test(error.code) ? exitCodes.usage : exitCodes.failed;
}
