/**
 * What each alarm of the decision core means and what to do about it, for the page of codes. The compiler keeps the list
 * complete: an alarm that is added must be explained here.
 */

import type { AlarmCode } from "../failover/action.js";
import type { ErrorCatalogue } from "./error.js";

export const alarmErrors: ErrorCatalogue<AlarmCode> = {
  ADDRESS_CONFLICT: {
    meaning:
      "A third machine answers for the HA address. It keeps a first claim waiting, and never a takeover: then clients may reach either.",
    todo: "Find the machine by its MAC, which the alarm names, and take the address off it.",
  },
  ADDRESS_REFUSED: {
    meaning:
      "The system did not add or remove the HA address when it was told to. A node that cannot take it lets the other one serve.",
    todo: "See the reason in the alarm and in the log of pulse, and the line `address` of `understudy status`.",
  },
  ADDRESS_TAMPERED: {
    meaning:
      "Something else removed the HA address, or added it where it does not belong; it was put right at once.",
    todo: "Find what manages addresses on this interface (a network service, a script), and tell it to leave this one alone.",
  },
  ARBITER_DENIES: {
    meaning: "This node would take the HA address, and an arbiter does not let it.",
    todo: "Where nobody serves, see the arbiter's line in `understudy status`: who has the grant, or which targets do not answer.",
  },
  ARBITER_LOST: {
    meaning:
      "An exclusive arbiter cannot be asked. A standby takes nothing over without it; an active node does what `onArbiterLost` says.",
    todo: "Mend the way to the arbiter; its line in `understudy status` says what was tried.",
  },
  BEATS_EATEN: {
    meaning:
      "The other node serves and says so over TLS, but its beats do not arrive: this node stays standby, and is blind.",
    todo: "Look for a firewall or filter that drops the UDP beats (port 6940) between the nodes.",
  },
  CONFIG_DIFFERS: {
    meaning: "The nodes run with different configs. Roles stay as they are, and failback is off (rule R28).",
    todo: "Compare the digests of `understudy check` on both nodes, copy the right file to the other one, and reload there.",
  },
  FENCE_FAILED: {
    meaning:
      "No fence confirmed that the other node is off, so nobody takes the address; or a fence switched off the wrong machine.",
    todo: "See the fence's line in `understudy status`. After seeing that the other machine is off: `understudy peer confirm-dead`.",
  },
  FOREIGN_BEATS: {
    meaning:
      "Beats of a cluster of this name arrive that this node's key does not verify. They hold a first claim back (rule R29).",
    todo: "Compare `understudy key show` on both nodes and copy the right key file; or give another pair in the network another name.",
  },
  PATH_DEGRADED: {
    meaning: "The nodes hear each other, but not on every path: the next fault may find no path left.",
    todo: "See the lines `paths` of `understudy status` on both nodes: cable, switch, firewall, broker.",
  },
  PEER_DEAD: {
    meaning:
      "The other node is gone. This one carries the service alone, and nothing would take over from it.",
    todo: "Bring the other node back; `understudy timeline` says how it went.",
  },
  CLIENT_LINK_LOST: {
    meaning:
      "This node is cut off from the clients' network: no carrier, or nobody is heard there. It hands over, or takes nothing over.",
    todo: "Mend cable, switch port or interface on the client side of this node.",
  },
  NODE_HUNG: {
    meaning:
      "The node process here has not answered for `hangLimit`, so the services count as failing (rule R27).",
    todo: "See the entries `stall` of `understudy timeline` and the log of understudy-node. A machine that is too busy does the same.",
  },
  FAILBACK_MANUAL: {
    meaning:
      "The address was lost against this pair's will so often within an hour that the primary takes it back no more by itself (rule R25).",
    todo: "Find the cause in `understudy timeline` and mend it, then `understudy switchover --clear`, which counts anew.",
  },
  SERVING_STALE: {
    meaning:
      "This node serves without having met the other one since its start: there may be sessions that it does not know (rule R24).",
    todo: "Bring the other node back; if it is gone for good, `understudy peer forget`.",
  },
  PLUGIN_BLOCKS: {
    meaning: "A plugin's calls block the process that it runs in, pulse or node; the alarm names it.",
    todo: "Take the plugin out of the config, or report it to its author; the code PLUGIN_BLOCKS among those of plugins says more.",
  },
  STALLED: {
    meaning:
      "Pulse stood still for longer than its lease while it served, and gave the address up (promise G7).",
    todo: "Measure with `understudy doctor --seconds 600`; see that `real-time` is in force, and give the machine room or a longer `lease`.",
  },
};
