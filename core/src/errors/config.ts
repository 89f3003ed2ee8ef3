/** What can be wrong with the config file and with finding out which node this is. */

import { errorsOf } from "./error.js";

export const configErrors = {
  CONFIG_MISSING: {
    meaning: "Without its config file a node does not know its peer or its address, so nothing starts.",
    todo: "Write one with `understudy init`, or name another with --config or UNDERSTUDY_CONFIG.",
  },
  CONFIG_UNREADABLE: {
    meaning: "The config file is there but could not be read, so nothing starts.",
    todo: "Mend what the message names (access, name or encoding), then run `understudy check`.",
  },
  CONFIG_WRONG: {
    meaning: "A node with a wrong config could harm the pair, so nothing starts and nothing is reloaded.",
    todo: "Mend each of the places named, then run `understudy check`.",
  },
  CONFIG_WHICH_NODE: {
    meaning: "A node that does not know which of the two it is must not run: it could answer for the other.",
    todo: "Say it with --node NAME or UNDERSTUDY_NODE, or correct the node addresses in the config.",
  },
} as const;

export const configError = errorsOf(configErrors);
