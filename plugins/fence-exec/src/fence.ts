/**
 * The fence as the core knows it: one attempt or check at a time, ended by a stop, with an agent or a plain command behind
 * it.
 */

import {
  commandText,
  type Fence,
  type Fenced,
  type Log,
  type NodeIdentity,
  runCommand,
} from "@understudy/core/public";
import { fenceAgent } from "./agent.js";
import type { CommandOptions, ExecOptions } from "./options.js";
import { whyOf } from "./output.js";

export function execFence(options: ExecOptions, node: NodeIdentity, log: Log): Fence {
  const stopping = new AbortController();
  const behind = "agent" in options ? fenceAgent(options, node) : plainCommand(options, node);
  const name = "agent" in options ? options.agent : commandText(options.command);
  const what =
    "agent" in options ? `${name} ${options.action} ${node.peerName}` : `${name}, for ${node.peerName}`;
  const { check } = behind;
  const underWay = new Set<Promise<unknown>>();

  /** A stop waits for the commands it ends, so that none outlives the node process. */
  function watched<T>(work: Promise<T>): Promise<T> {
    underWay.add(work);
    return work.finally(() => underWay.delete(work));
  }
  const either = (signal: AbortSignal) => AbortSignal.any([signal, stopping.signal]);

  return {
    async start() {},
    async fence(signal) {
      const fenced = await watched(behind.fence(either(signal)));
      log.warn({ ...fenced, fence: what }, "a fence was fired");
      return fenced;
    },
    ...(check === undefined ? {} : { check: (signal: AbortSignal) => watched(check(either(signal))) }),
    async stop() {
      stopping.abort();
      await Promise.allSettled([...underWay]);
    },
    describe: () => what.replaceAll(/\s+/g, " ").trim().slice(0, 200).trim(),
  };
}

function plainCommand(options: CommandOptions, node: NodeIdentity) {
  const { command, checkCommand, timeoutMs } = options;
  const environment = {
    ...options.environment,
    UNDERSTUDY_CLUSTER: node.cluster,
    UNDERSTUDY_NODE: node.name,
    UNDERSTUDY_PEER: node.peerName,
    UNDERSTUDY_PEER_ADDRESSES: node.peerAddresses.join(" "),
  };
  return {
    async fence(signal: AbortSignal): Promise<Fenced> {
      const result = await runCommand(command, { environment, timeoutMs, signal });
      if (result.end === "notStarted")
        return { outcome: "refused", detail: `could not be run: ${result.detail}` };
      if (result.code !== 0) return { outcome: "unknown", detail: whyOf(result) };
      return { outcome: "confirmed", detail: `the command for ${node.peerName} ended with exit code 0` };
    },
    check:
      checkCommand === undefined
        ? undefined
        : async (signal: AbortSignal): Promise<string | undefined> => {
            const limitMs = Math.min(timeoutMs, 25_000);
            const result = await runCommand(checkCommand, { environment, timeoutMs: limitMs, signal });
            return result.code === 0 ? undefined : whyOf(result);
          },
  };
}
