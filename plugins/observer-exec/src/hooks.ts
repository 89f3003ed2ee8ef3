/**
 * Runs the hooks for each entry of the timeline, in order and one at a time. Whatever a hook does or fails to do is
 * logged and goes no further: nothing waits for it but the next hook.
 */

import {
  type CommandResult,
  commandText,
  type Log,
  type NodeIdentity,
  type Observer,
  runCommand,
  type TimelineEntry,
} from "@understudy/core/public";
import type { ExecOptions, Hook } from "./options.js";

const keptOutputBytes = 2048;

export function execObserver({ hooks }: ExecOptions, node: NodeIdentity, log: Log): Observer {
  const stopping = new AbortController();
  let turn: Promise<void> = Promise.resolve();
  let failures = 0;
  let lastFailure: string | undefined;

  async function runOne(hook: Hook, entry: TimelineEntry): Promise<void> {
    const result = await runCommand(hook.command, {
      environment: { ...hook.environment, ...environmentOf(entry, node) },
      ...(hook.workingDirectory === undefined ? {} : { workingDirectory: hook.workingDirectory }),
      input: `${JSON.stringify(entry)}\n`,
      timeoutMs: hook.timeoutMs,
      keptOutputBytes,
      signal: stopping.signal,
    });
    logResult(hook, entry, result);
  }

  function logResult(hook: Hook, entry: TimelineEntry, result: CommandResult): void {
    const fields = {
      command: commandText(hook.command),
      kind: entry.kind,
      result: result.detail,
      tookMs: result.tookMs,
      output: result.output,
    };
    if (result.code === 0) log.info(fields, "a hook ran");
    else if (result.end === "aborted") log.info(fields, "a hook was called off by the stop");
    else {
      failures += 1;
      lastFailure = `${commandText(hook.command)}: ${result.detail}`;
      log.warn(fields, "a hook failed");
    }
  }

  async function runAll(entry: TimelineEntry): Promise<void> {
    for (const hook of hooks) {
      if (stopping.signal.aborted) return;
      if (hook.kinds === "all" || hook.kinds.includes(entry.kind)) await runOne(hook, entry);
    }
  }

  return {
    async start() {},
    observe(entry) {
      // The core calls once at a time, but goes on when a call takes a minute: hooks never overlap all the same.
      turn = turn.then(() => runAll(entry));
      return turn;
    },
    async stop() {
      stopping.abort();
      await turn;
    },
    describe() {
      const line = `${hooks.length} ${hooks.length === 1 ? "hook" : "hooks"}: ${hooks.map(({ command }) => commandText(command)).join(", ")}`;
      const trouble = failures === 0 ? "" : `; ${failures} failed, last ${lastFailure}`;
      return `${line}${trouble}`.replaceAll(/\s+/g, " ").slice(0, 200).trim();
    },
  };
}

/** What a hook can read without parsing; the whole entry is on its standard input. */
function environmentOf(entry: TimelineEntry, node: NodeIdentity): Record<string, string> {
  const { from, to, epoch, code, raised } = entry.details;
  const optional = { FROM: from, TO: to, EPOCH: epoch, ALARM: code, RAISED: raised };
  return {
    UNDERSTUDY_CLUSTER: node.cluster,
    UNDERSTUDY_NODE: node.name,
    UNDERSTUDY_SIDE: node.side,
    UNDERSTUDY_PEER: node.peerName,
    UNDERSTUDY_HA_ADDRESSES: node.haAddresses.map(({ address }) => address).join(" "),
    UNDERSTUDY_AT: entry.at,
    UNDERSTUDY_KIND: entry.kind,
    // The kernel takes at most 128 KiB in one variable, and no zero byte in any.
    UNDERSTUDY_WHAT: entry.what.replaceAll("\0", "").slice(0, 4096),
    ...Object.fromEntries(
      Object.entries(optional)
        .filter(([, value]) => ["string", "number", "boolean"].includes(typeof value))
        .map(([name, value]) => [`UNDERSTUDY_${name}`, String(value).replaceAll("\0", "").slice(0, 4096)]),
    ),
  };
}
