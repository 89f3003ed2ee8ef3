/** Why this plugin refuses to start. Everything that goes wrong later is an outcome or a report, not an error. */

import { errorsOf } from "@understudy/core/public";

export const addressErrors = {
  ADDRESS_NO_INTERFACE: {
    meaning: "Without an interface the HA address cannot be taken, so this node could never serve.",
    todo: "Give this machine an address in the same network, or name the interface with `interface` of the iproute2 plugin.",
  },
  ADDRESS_NO_IP_COMMAND: {
    meaning: "The `ip` command of iproute2 takes and removes addresses; without it nothing can be done.",
    todo: "Install iproute2 (Debian: apt install iproute2) and see that PATH of the service finds `ip`.",
  },
  ADDRESS_LABEL_IMPOSSIBLE: {
    meaning: "The address would be refused by `ip` at the first takeover, so this node does not start.",
    todo: "Shorten `label`, or write it without a colon so that it fits the interface of each node.",
  },
  ADDRESS_ROUTE_IMPOSSIBLE: {
    meaning:
      "A route or rule that shall move with the HA address cannot be made here, so this node does not start.",
    todo: "Compare `routes`, `rules` and `preferredSource` of the iproute2 plugin with the HA addresses of the file.",
  },
  ADDRESS_NOT_REMOVED: {
    meaning: "Both nodes could answer for the HA address, so this node does not start.",
    todo: "Run as root or with CAP_NET_ADMIN, and look for another program that keeps adding the address.",
  },
} as const;

export const addressError = errorsOf(addressErrors);
