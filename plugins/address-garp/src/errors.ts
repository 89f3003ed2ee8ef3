/** Why this plugin refuses to start. */

import { errorsOf } from "@understudy/core/public";

export const garpErrors = {
  GARP_NO_INTERFACE: {
    meaning: "Nobody would be told where the HA address is, so clients would go on asking the dead node.",
    todo: "Give this machine an address in the same network, or name the interface with `interface` of the garp plugin.",
  },
  GARP_NO_PACKET_SOCKET: {
    meaning: "Announcements and probes are Ethernet frames of our own, and the system lets us send none.",
    todo: "Run as root or with CAP_NET_RAW, on an Ethernet interface.",
  },
} as const;

export const garpError = errorsOf(garpErrors);
