/**
 * Runs the command and believes its exit code alone. The name of the node to switch off is in UNDERSTUDY_PEER; what the
 * command prints is logged, so that a person can see why it failed.
 */

import { type Command, commandText, type Fence, type Log, runCommand } from "@understudy/core/public";

export interface CommandFenceOptions {
  readonly command: Command;
  readonly timeoutMs: number;
}

export function commandFence({ command, timeoutMs }: CommandFenceOptions, peer: string, log: Log): Fence {
  const stopping = new AbortController();
  let last = "never used";

  return {
    async start() {},
    async fence(signal) {
      const result = await runCommand(command, {
        timeoutMs,
        environment: { UNDERSTUDY_PEER: peer },
        // Called off by the core, or by our own stop: the command and all that it started are ended.
        signal: AbortSignal.any([signal, stopping.signal]),
      });
      const confirmed = result.end === "exited" && result.code === 0;
      last = `${peer}: ${result.detail}`;
      log[confirmed ? "info" : "error"](
        { peer, result: result.detail, output: result.output },
        "the fence was used",
      );
      // Whatever else happened, nobody knows whether the other node is off (rule R32).
      return { outcome: confirmed ? "confirmed" : "unknown", detail: last };
    },
    async stop() {
      stopping.abort();
    },
    describe: () => `${commandText(command)}, ${last}`.replaceAll(/\s+/g, " ").slice(0, 200),
  };
}
