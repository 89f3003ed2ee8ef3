/**
 * Takes the HA addresses off this machine with nothing but the `ip` command: at every start (rule R6), and in the
 * surviving process when pulse has died (rule R12). May spawn, so it is never used while the pair decides.
 */

import { spawn } from "node:child_process";
import type { HaAddress, Outcome } from "@understudy/core/public";
import { listInterfaces } from "./interfaces.js";
import { deleteCommand, type FoundAddress } from "./ip-commands.js";
import { answersFor } from "./kernel-look.js";
import { type Leftovers, removeLeftovers } from "./leftovers.js";

async function find(addresses: readonly HaAddress[]): Promise<readonly FoundAddress[]> {
  const wanted = new Set(addresses.map(({ address }) => address));
  const interfaces = await listInterfaces();
  return interfaces.flatMap((found) =>
    found.addresses
      .filter(({ address }) => wanted.has(address))
      .map(({ address, prefixLength }) => ({
        address,
        prefixLength,
        interfaceName: found.name,
        interfaceIndex: found.index,
      })),
  );
}

function batch(commands: readonly string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const ip = spawn("ip", ["-force", "-batch", "-"], { stdio: ["pipe", "ignore", "ignore"], timeout: 5000 });
    ip.once("error", reject);
    // Its exit code says nothing that the kernel does not say better when asked again.
    ip.once("close", () => resolve());
    ip.stdin.on("error", () => {});
    ip.stdin.end(commands.map((command) => `${command}\n`).join(""));
  });
}

/** Removes and asks the kernel; what it returns is still there. Throws when `ip` cannot be run. */
export async function removeEverywhere(addresses: readonly HaAddress[]): Promise<readonly FoundAddress[]> {
  const there = await find(addresses);
  if (there.length === 0) return [];
  await batch(there.map(deleteCommand));
  return find(addresses);
}

/** The guard of a dead pulse needs some milliseconds, and starting an `ip` of our own on a busy machine a hundred. */
const guardMs = 25;
const lookEveryMs = 1;

/** Whether the addresses have gone by themselves; false also where the kernel does not say. */
async function goneByItself(addresses: readonly HaAddress[]): Promise<boolean> {
  const endMs = performance.now() + guardMs;
  for (;;) {
    const answers = answersFor(addresses);
    if (answers !== true) return answers === false;
    if (performance.now() >= endMs) return false;
    await new Promise((resolve) => setTimeout(resolve, lookEveryMs));
  }
}

/** Routes and rules go too, and nobody waits for them: what counts is who answers for the address. */
export async function withdrawAll(addresses: readonly HaAddress[], leaving: Leftovers): Promise<Outcome> {
  try {
    const gone = await goneByItself(addresses);
    if (leaving.routes.length + leaving.rules.length > 0) void removeLeftovers(addresses, leaving);
    if (gone) return "confirmed";
    return (await removeEverywhere(addresses)).length === 0 ? "confirmed" : "unknown";
  } catch {
    return "unknown";
  }
}
