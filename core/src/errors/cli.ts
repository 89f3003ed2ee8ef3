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
  CLI_ONLY_PULSE: {
    meaning:
      "The deciding process of this node runs and guards the HA address, but the node process, which could answer, does not.",
    todo: "Start it (`systemctl start understudy-node`), and see its log for why it ended.",
  },
  CLI_NO_ANSWER: {
    meaning: "Whether the node did what was asked is not known.",
    todo: "Look at `understudy status`, then ask again.",
  },
  CLI_NOT_ALLOWED: {
    meaning: "Only root, or the user that runs understudy, may ask a node for anything.",
    todo: "Repeat the command as root, for instance with sudo.",
  },
  CLI_EXISTS: {
    meaning: "A file that may be in use is never overwritten by chance; nothing was changed.",
    todo: "Look at the file, then name another or move it away; where the command has --force, that replaces it.",
  },
  CLI_NOT_WRITTEN: {
    meaning: "The file could not be written; what was there before is unchanged.",
    todo: "Make room or give access as the system's error says, then try again.",
  },
} as const;

export const cliError = errorsOf(cliErrors);
