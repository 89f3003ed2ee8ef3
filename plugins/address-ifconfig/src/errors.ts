/** Why this plugin refuses to start. Everything that goes wrong later is an outcome or a report, not an error. */

import { errorsOf } from "@understudy/core/public";

export const ifconfigErrors = {
  IFCONFIG_MISSING: {
    meaning: "The command `ifconfig` takes and removes addresses; without it nothing can be done.",
    todo: "Name the program with `command` of the ifconfig plugin. On Linux use the plugin iproute2 instead.",
  },
  IFCONFIG_UNREADABLE: {
    meaning: "What this ifconfig prints is not what the one of Solaris and illumos prints.",
    todo: "Use this plugin on Solaris or illumos only; on Linux use iproute2.",
  },
  IFCONFIG_NO_INTERFACE: {
    meaning: "Without an interface the HA address cannot be taken, so this node could never serve.",
    todo: "Give this machine an address in the same network (ipadm create-addr), or name the interface with `interface` of the ifconfig plugin. For IPv6 the interface must exist for IPv6 too: ipadm create-addr -T addrconf net0/v6.",
  },
  IFCONFIG_ADDRESS_NOT_REMOVED: {
    meaning: "Both nodes could answer for the HA address, so this node does not start.",
    todo: "Run as root or with the privilege sys_ip_config, in the global zone or one with ip-type exclusive. If the address is the interface's own or belongs to an address object, delete it: ipadm show-addr, then ipadm delete-addr.",
  },
} as const;

export const ifconfigError = errorsOf(ifconfigErrors);
