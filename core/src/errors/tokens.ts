/** What can be wrong with the bearer tokens that the operator gives out. */

import { errorsOf } from "./error.js";

export const tokenErrors = {
  TOKEN_UNKNOWN: {
    meaning: "No token with this id was ever made, so there is nothing to revoke.",
    todo: "See the ids with `understudy token list`.",
  },
  TOKEN_TOO_MANY: {
    meaning: "The list of tokens has reached its bound, revoked ones included, so no further one is made.",
    todo: "Stop every node and remove <state>/tokens.json on both, then make the tokens that are still needed.",
  },
  TOKEN_NOT_WRITTEN: {
    meaning: "The change could not be made durable, so it was not made.",
    todo: "Make room or give access as the system's error says, then try again.",
  },
} as const;

export const tokenError = errorsOf(tokenErrors);
