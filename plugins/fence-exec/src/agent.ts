/**
 * A fence agent of the ClusterLabs kind (Fence Agent API): options as lines of "name=value" on standard input, exit code 0
 * when it is done. Its word is checked by a second question, and a timeout is a failure.
 */

import { type CommandResult, type Fenced, type NodeIdentity, runCommand } from "@understudy/core/public";
import type { AgentOptions } from "./options.js";
import { whyOf } from "./output.js";

/** Fence Agent API, "Agent Operations and Return Values": status and monitor say 0 for on, 2 for off, 1 for no contact. */
const codes = { done: 0, on: 0, off: 2 } as const;
/** Of the whole attempt, what is left for the second question: agents log in anew for it. */
const statusShare = 0.5;

export interface Agent {
  fence(signal: AbortSignal): Promise<Fenced>;
  check(signal: AbortSignal): Promise<string | undefined>;
}

export function fenceAgent(options: AgentOptions, node: NodeIdentity): Agent {
  const { agent, action, timeoutMs } = options;
  const target = options.targets[node.peerName] ?? {};

  function run(what: string, limitMs: number, signal: AbortSignal): Promise<CommandResult> {
    // The last line of a name counts, so the file may name the machine in another way.
    const lines = { nodename: node.peerName, ...options.options, ...target, action: what };
    return runCommand([agent], {
      input: `${Object.entries(lines)
        .map(([name, text]) => `${name}=${text}`)
        .join("\n")}\n`,
      timeoutMs: limitMs,
      signal,
    });
  }

  async function verified(limitMs: number, signal: AbortSignal): Promise<Fenced> {
    const status = await run("status", limitMs, signal);
    if (status.code === codes.off)
      return {
        outcome: "confirmed",
        detail: `${agent} has switched ${node.peerName} off, and says that it is off`,
      };
    const says =
      status.code === codes.on ? "says that it is on" : `could not say whether it is: ${whyOf(status)}`;
    return { outcome: "unknown", detail: `${agent} reported ${node.peerName} off, and then ${says}` };
  }

  return {
    async fence(signal) {
      const startedMs = performance.now();
      const done = await run(action, timeoutMs, signal);
      if (done.end === "notStarted")
        return { outcome: "refused", detail: `${agent} could not be run: ${done.detail}` };
      // An agent that failed may have got half way: nobody knows, so it is not called refused.
      if (done.code !== codes.done) return { outcome: "unknown", detail: `${agent}: ${whyOf(done)}` };
      if (action === "off" && options.verify) {
        const leftMs = timeoutMs - (performance.now() - startedMs);
        return await verified(Math.max(leftMs, timeoutMs * statusShare), signal);
      }
      return { outcome: "confirmed", detail: `${agent} reports the ${action} of ${node.peerName} as done` };
    },
    async check(signal) {
      if (options.targets[node.peerName] === undefined && Object.keys(options.targets).length > 0)
        return `targets does not say which machine ${node.peerName} is`;
      const found = await run("monitor", Math.min(timeoutMs, 25_000), signal);
      if (found.code === codes.on || found.code === codes.off) return undefined;
      return `${agent}: ${whyOf(found)}`;
    },
  };
}
