/** What can be wrong with a command line and with the process it asks. */

import { errorsOf } from "./error.js";

export const cliErrors = {
  CLI_USAGE: {
    meaning: "The command was not understood, so nothing was done.",
    todo: "See `understudy COMMAND --help`.",
  },
  CLI_NOT_RUNNING: {
    meaning: "Only a running node can answer this, and none answers on its socket.",
    todo: "Start it (`systemctl start understudy-pulse understudy-node`, or `understudy run`), then ask again.",
  },
  CLI_EXISTS: {
    meaning: "A file that may be in use is never overwritten by chance; nothing was changed.",
    todo: "Look at the file, then move it away or repeat the command with --force.",
  },
  CLI_NOT_WRITTEN: {
    meaning: "The file could not be written; what was there before is unchanged.",
    todo: "Make room or give access as the system's error says, then try again.",
  },
  CLI_KEYS_DIFFER: {
    meaning: "The key file of this node is not the one that the other node goes by, so a step was not taken.",
    todo: "Copy the key file as `understudy key rotate` says, then repeat the command.",
  },
} as const;

export const cliError = errorsOf(cliErrors);
