/** What can go wrong with a service that is run by commands. */

import { errorsOf } from "./error.js";

export const serviceErrors = {
  SERVICE_NOT_STARTED: {
    meaning: "The service does not serve on this node; it is tried again, and a healthier node takes over.",
    todo: "Run the command that the message names by hand on this node and read what it says.",
  },
  SERVICE_NOT_STOPPED: {
    meaning:
      "The service may go on running on a node that no longer holds the HA address; it is tried again.",
    todo: "See whether it still runs, and why it does not end within the time that the pair has for it.",
  },
  SERVICE_COMMAND_FAILED: {
    meaning: "A command that the config names for this service did not succeed.",
    todo: "Run the command that the message names by hand on this node and read what it says.",
  },
  SERVICE_OVERTAKEN: {
    meaning: "While the service was on its way, this node was told something newer; nothing is wrong.",
    todo: "Nothing: the newer request is being carried out.",
  },
} as const;

export const serviceError = errorsOf(serviceErrors);
