/** Why this plugin refuses to start, and what it says when etcd does not do what it was asked. */

import { errorsOf } from "@understudy/core/public";

export const etcdErrors = {
  ETCD_NO_FILE: {
    meaning: "Nobody can ask etcd without it, so this arbiter would grant nothing.",
    todo: "Put the file in its place, readable by the user of the node process, or correct its path in the config.",
  },
  ETCD_BAD_FILE: {
    meaning: "Certificates and keys are read as PEM; with this one no connection can be made.",
    todo: "Write the file anew as PEM, certificate and key belonging to each other.",
  },
  ETCD_NOT_RELEASED: {
    meaning: "The other node waits until the grant ends by itself; nothing else is lost.",
    todo: "See whether etcd has a majority, and what `understudy status` says of this arbiter.",
  },
} as const;

export const etcdError = errorsOf(etcdErrors);
