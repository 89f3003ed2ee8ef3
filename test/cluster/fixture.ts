/**
 * What every cluster test does: a real pair, a client that watches the wire all the while, an end that cleans up. What
 * is held by two is judged on the segment, by who answers, never by who believes that it has the address.
 */

import assert from "node:assert/strict";
import { cpSync } from "node:fs";
import { basename, join } from "node:path";
import { bothAnsweringMs, lastAnswerer } from "../lab/outage.js";
import {
  type Pair,
  type PairOptions,
  pairHaAddress,
  type Side,
  sides,
  startBoth,
  startPair,
} from "../lab/pair.js";
import { type ProbeResult, startProbe } from "../lab/probe.js";

/** UDP on the segment, and on a cable of the nodes alone. */
export const withCable = {
  cable: true,
  config: {
    heartbeat: {
      paths: [
        { plugin: "udp", class: "client" },
        {
          plugin: "udp",
          name: "cable",
          class: "private",
          addresses: { primary: "10.78.0.2", secondary: "10.78.0.3" },
        },
      ],
    },
  },
} as const;

export async function withPair(options: PairOptions, body: (pair: Pair) => Promise<void>): Promise<void> {
  const pair = await startPair({ ...options, cold: true });
  try {
    if (options.cold !== true) await startBoth(pair);
    await body(pair);
  } catch (cause) {
    await tellWhatHappened(pair).catch((error: unknown) => console.error("and no more can be told:", error));
    throw cause;
  } finally {
    await pair.close();
  }
}

/**
 * A failure that comes once in a hundred runs must be explained by what that run printed: both nodes' timelines and logs.
 * UNDERSTUDY_KEEP=folder keeps the pair's files there as well.
 */
async function tellWhatHappened(pair: Pair): Promise<void> {
  const keep = process.env.UNDERSTUDY_KEEP;
  if (keep !== undefined) {
    const filter = (path: string) => basename(path) !== "run";
    cpSync(pair.folder, join(keep, basename(pair.folder)), { recursive: true, filter });
  }
  for (const side of sides) {
    const node = pair.node(side);
    console.error(`${side}, status: ${JSON.stringify((await node.status()) ?? null)}`);
    console.error(`${side}, timeline:\n${(await node.cli("timeline", "--local")).out}`);
    for (const which of ["pulse", "node"] as const)
      console.error(`${side}, ${which} log:\n${node.log(which)}`);
  }
}

/** Watches the address from the client's place while `body` runs. */
export async function watched(pair: Pair, body: () => Promise<void>): Promise<ProbeResult> {
  const probe = await startProbe(pair.segment, pairHaAddress, { httpPort: undefined });
  try {
    await body();
  } catch (cause) {
    await probe.stop();
    throw cause;
  }
  return probe.stop();
}

export function macOf(pair: Pair, side: Side): string {
  return pair.segment.run(side, "cat", ["/sys/class/net/eth0/address"]).trim().replaceAll(":", "");
}

/** G1: nobody heard two machines answer. Two probes of slack: an answer is noted a little after it was given. */
export function assertNeverTwo(result: ProbeResult, slackMs = 2): void {
  const bothMs = bothAnsweringMs(result);
  assert.ok(bothMs <= slackMs, `two machines answered at once for ${bothMs} ms`);
}

export function assertAnsweredLast(result: ProbeResult, pair: Pair, side: Side): void {
  assert.equal(lastAnswerer(result, "arp"), macOf(pair, side), `${side} answers at the end`);
}

/** By the kernel's word: whether the address is on that machine. */
export function hasAddress(pair: Pair, side: Side): boolean {
  return pair.segment.run(side, "ip", ["-o", "addr", "show", "dev", "eth0"]).includes(` ${pairHaAddress}/`);
}

/** By the kernel's word: whether that machine's lease lets the address answer (rule R1). */
export function hasLease(pair: Pair, side: Side): boolean {
  return /set lease \{[^}]*elements = /.test(pair.segment.run(side, "nft", ["list", "ruleset"]));
}

export async function waitForRole(pair: Pair, side: Side, role: string, withinMs?: number): Promise<void> {
  await pair.waitFor(
    async () => (await pair.node(side).status())?.pulse?.role === role,
    `${side} is ${role}`,
    withinMs,
  );
}
