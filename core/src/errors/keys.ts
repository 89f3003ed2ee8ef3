/** What can be wrong with the key file: every code with its meaning and what to do. */

import { errorsOf } from "./error.js";

export const keyErrors = {
  KEY_MISSING: {
    meaning: "Without the shared key the two nodes cannot recognise each other, so this node does not start.",
    todo: "Make one with `understudy init` on the first node, or copy the other node's key file here.",
  },
  KEY_UNREADABLE: {
    meaning: "The key file exists but could not be read, so this node does not start.",
    todo: "Read the system's error above, and let the user that runs understudy read the file.",
  },
  KEY_PERMISSIONS: {
    meaning: "Whoever can read or replace the key can take the HA address over, so the file is refused.",
    todo: "Give the file to root or to the user that runs understudy, and set its mode to 0600.",
  },
  KEY_INVALID: {
    meaning: "The key file does not hold a usable key ring, so the nodes could not recognise each other.",
    todo: "Copy the other node's key file here, or make a new pair of them with `understudy init`.",
  },
  KEY_NOT_WRITTEN: {
    meaning: "The key file was left as it was.",
    todo: "Make room or give access as the system's error says, then try again.",
  },
} as const;

export const keyError = errorsOf(keyErrors);
