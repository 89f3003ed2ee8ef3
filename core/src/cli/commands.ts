/** Every command there is, in the order in which the help lists them. A new command is one line here and one file. */

import type { CommandEntry } from "./command.js";

export const commands: readonly CommandEntry[] = [
  {
    name: "init",
    group: "Set up:",
    summary: "write the config file and the shared key of a new pair",
    load: () => import("./init.js"),
  },
  {
    name: "import",
    group: "Set up:",
    summary: "make the config file from the files of Heartbeat or keepalived",
    load: () => import("./import.js"),
  },
  {
    name: "check",
    group: "Set up:",
    summary: "say everything that is wrong with the config file, its plugins and the key",
    load: () => import("./check.js"),
  },
  {
    name: "doctor",
    group: "Set up:",
    summary: "say what this host can bear and what is in the way, without changing anything",
    load: () => import("./doctor.js"),
  },
  {
    name: "plugins",
    group: "Set up:",
    summary: "list the plugins the config names, or show a plugin's options",
    load: () => import("./plugins.js"),
  },
  {
    name: "config",
    group: "Set up:",
    summary: "print the JSON schema of the config file, for editors",
    load: () => import("./config.js"),
  },
  {
    name: "key",
    group: "Set up:",
    summary: "show or rotate the key that both nodes share",
    load: () => import("./key.js"),
  },
  {
    name: "plugin",
    group: "Extend:",
    summary: "make a new plugin package, or run the suite of its kind against any",
    load: () => import("./plugin.js"),
  },
  {
    name: "run",
    group: "Run:",
    summary: "run this node in the foreground: pulse and node",
    load: () => import("./run.js"),
  },
  {
    name: "pulse",
    group: "Run:",
    summary: "run only the process that decides (what its systemd unit runs)",
    load: () => import("./pulse.js"),
  },
  {
    name: "node",
    group: "Run:",
    summary: "run only the process that serves (what its systemd unit runs)",
    load: () => import("./node.js"),
  },
  {
    name: "status",
    group: "Look:",
    summary: "say who serves and why, how the other node is, and what would happen if it died",
    load: () => import("./status.js"),
  },
  {
    name: "timeline",
    group: "Look:",
    summary: "show what happened on both nodes, in order, and why",
    load: () => import("./timeline.js"),
  },
  {
    name: "replay",
    group: "Look:",
    summary: "run what a node recorded through the decision core again",
    load: () => import("./replay.js"),
  },
  {
    name: "sessions",
    group: "Operate:",
    summary: "list, show, end, export and import sessions",
    load: () => import("./sessions.js"),
  },
  {
    name: "switchover",
    group: "Operate:",
    summary: "move the service to the other node on purpose",
    load: () => import("./switchover.js"),
  },
  {
    name: "maintenance",
    group: "Operate:",
    summary: "take this node out of service, or back in",
    load: () => import("./maintenance.js"),
  },
  {
    name: "reload",
    group: "Operate:",
    summary: "take a changed config over without an outage",
    load: () => import("./reload.js"),
  },
  {
    name: "token",
    group: "Operate:",
    summary: "create, list and revoke the tokens of the session API",
    load: () => import("./token.js"),
  },
  {
    name: "peer",
    group: "Operate:",
    summary: "forget an other node that is gone for good",
    load: () => import("./peer.js"),
  },
];
