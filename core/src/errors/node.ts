/** What can be wrong in a running node or in what an operator asks of it. */

import { errorsOf } from "./error.js";

export const nodeErrors = {
  NODE_PULSE_GONE: {
    meaning:
      "The deciding process of this node is not there, so the role of this node cannot be changed or asked for.",
    todo: "Start it with `systemctl start understudy-pulse`, and see its log for why it ended.",
  },
  NODE_REFUSED: {
    meaning: "Nothing was changed, or not all of it: the message says why.",
    todo: "See `understudy status`, which says what this node waits for.",
  },
  NODE_UNKNOWN_COMMAND: {
    meaning: "The command line and the running node are of different versions.",
    todo: "Restart the node after an upgrade, standby first.",
  },
  NODE_WRONG_ARGUMENT: {
    meaning: "The node did not understand what was asked.",
    todo: "See `--help` of the command.",
  },
  NODE_RELOAD_NEEDS_RESTART: {
    meaning:
      "The config is taken over as a whole or not at all, and this one changes what is fixed at the start.",
    todo: "Restart both processes, on the standby first; or take those changes back and reload again.",
  },
  NODE_NO_SESSIONS: {
    meaning:
      "The config says `sessions: none`: the services keep their own data, and Understudy keeps no sessions.",
    todo: "Name a store under `sessions` in the config and restart both nodes, standby first, if you want it to.",
  },
  NODE_SESSION_REFUSED: {
    meaning: "The session was left as it is.",
    todo: "Ask the node that serves, or try again after the time that the message names.",
  },
  NODE_FAILED: {
    meaning: "Something went wrong inside of the node that it did not expect.",
    todo: "See its log, and report it if it happens again.",
  },
  NODE_FOLDER: {
    meaning: "Without its folders this node can neither remember nor be spoken to.",
    todo: "Create the folder, or let the user that runs understudy create and write it.",
  },
} as const;

export const nodeError = errorsOf(nodeErrors);
