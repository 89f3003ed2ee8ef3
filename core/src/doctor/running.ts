/** What the running node of this machine says: whether it goes by this very config, and whether the other one does. */

import type { Ask } from "../cli/ask-node.js";
import type { LocalConfig } from "../config/config.js";
import { UnderstudyError } from "../errors/error.js";
import type { NodeStatus } from "../ipc/control.js";
import { type Finding, finding } from "./finding.js";

export async function checkRunning(local: LocalConfig, ask: Ask): Promise<readonly Finding[]> {
  let status: NodeStatus;
  try {
    status = await ask("status", {});
  } catch (error) {
    if (!(error instanceof UnderstudyError)) throw error;
    const level = error.code === "CLI_NOT_RUNNING" ? "note" : "warn";
    return [
      finding("running", level, `whether both nodes have the same config is not known: ${error.message}`),
    ];
  }
  return [
    ownConfig(local, status),
    peerConfig(status),
    finding("running", "note", `node link: ${status.nodeLink}`),
  ];
}

function ownConfig({ config }: LocalConfig, { configDigest }: NodeStatus): Finding {
  if (configDigest === config.digest) return finding("running", "ok", "the running node goes by this file");
  const what = `the running node has config ${configDigest}, the file is ${config.digest}`;
  return finding(
    "running",
    "warn",
    what,
    "Run `understudy reload` on both nodes once both have the same file.",
  );
}

function peerConfig({ pulse }: NodeStatus): Finding {
  if (pulse === undefined) return finding("running", "warn", "pulse does not run", "Start understudy-pulse.");
  if (!pulse.peer.alive) return finding("running", "warn", "the other node is not heard");
  if (pulse.peer.configEqual === true) return finding("running", "ok", "both nodes run with the same config");
  const what =
    pulse.peer.configEqual === undefined ? "is not known yet" : "differs: failback is off (rule R28)";
  return finding(
    "running",
    "warn",
    `the other node's config ${what}`,
    "Copy the file to both, then `understudy reload`.",
  );
}
