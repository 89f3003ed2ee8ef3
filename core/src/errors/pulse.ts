/** What can keep the deciding process from starting, or end it: every code with its meaning and what to do. */

import { errorsOf } from "./error.js";

export const pulseErrors = {
  EPOCH_FILE_CORRUPT: {
    meaning:
      "This node no longer knows which epochs it has seen, so it could claim the address with an old one.",
    todo: "If the other node runs, or never will again with its old disk, remove the file and start this node again.",
  },
  EPOCH_FILE_UNREADABLE: {
    meaning: "Without its epoch file this node could forget a claim, so it does not start.",
    todo: "Read the system's error above; let the user that runs understudy write into the state folder.",
  },
  EPOCH_FILE_FOREIGN: {
    meaning: "The state folder holds the epochs of another node or cluster: they say nothing about this one.",
    todo: "Check the folders in the config and whether the disk was copied from the other node; then remove the file.",
  },
  ADDRESS_NOT_READY: {
    meaning: "Without its address backends this node could neither take nor give up the HA address.",
    todo: "Read the reason above; `understudy doctor` says what this host lacks.",
  },
  NO_PATH: {
    meaning:
      "This node could not hear the other one at all, and would take the address although it is served.",
    todo: "Read the reasons above: addresses, interfaces and ports of heartbeat.paths must exist on this machine.",
  },
  PULSE_FAILED: {
    meaning: "The deciding process ends at once, and the kernel withdraws the address.",
    todo: "Report this with the last lines of the log and the folder `recording` of the state folder.",
  },
  RELOAD_NEEDS_RESTART: {
    meaning:
      "The changed part of the config takes effect only when pulse starts: everything stays as it was.",
    todo: "Restart understudy on the standby first, then switch over and restart it on the other node.",
  },
  RECORDING_UNREADABLE: {
    meaning: "There is nothing to replay.",
    todo: "Name a file or folder of recordings: `recording` in the state folder of a node.",
  },
} as const;

export const pulseError = errorsOf(pulseErrors);
