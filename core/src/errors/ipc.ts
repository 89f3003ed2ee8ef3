/** What can be wrong with the unix sockets between the processes of one node and its operator. */

import { errorsOf } from "./error.js";

export const ipcErrors = {
  IPC_IN_USE: {
    meaning: "The same process of this node seems to run already, and two would work against each other.",
    todo: "See `understudy status`; stop the other one before you start this one.",
  },
  IPC_NOT_LISTENING: {
    meaning: "Without this socket the processes of this node cannot speak to each other or to the operator.",
    todo: "Check that the run folder exists, is writable for this user, and that its path is short.",
  },
} as const;

export const ipcError = errorsOf(ipcErrors);
