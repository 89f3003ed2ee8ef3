/** What can keep the session broker's API from being served. */

import { errorsOf } from "@understudy/core/public";

export const vsmErrors = {
  VSM_NOT_LISTENING: {
    meaning: "Clients that ask this node for sessions get no answer; it is tried again.",
    todo: "See which process has that address and port (`ss -ltnp`), or choose another port for the service.",
  },
  VSM_CERTIFICATE_UNUSABLE: {
    meaning: "Without its certificate and key the API cannot be served over HTTPS.",
    todo: "Check that both PEM files exist, belong together and are readable for this user; or remove a generated one, to have it made anew.",
  },
} as const;

export const vsmError = errorsOf(vsmErrors);
