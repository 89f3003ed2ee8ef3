/**
 * Removes routes and rules that a former run left behind (rule R6), with nothing but the `ip` command: those of our
 * protocol that the options name now, and those that name an HA address, whatever the options were then.
 */

import { type SpawnOptions, spawn } from "node:child_process";
import type { HaAddress } from "@understudy/core/public";
import { canonical } from "./prefix.js";
import { deletions, ourProtocol } from "./route-commands.js";
import type { Route, Rule } from "./route-plan.js";

export interface Leftovers {
  readonly routes: readonly Route[];
  readonly rules: readonly Rule[];
}

interface IpRoute {
  readonly dst: string;
  readonly prefsrc?: string;
  readonly table?: string;
}

interface IpRule {
  readonly priority: number;
  readonly src?: string;
  readonly dst?: string;
  readonly table?: string;
  readonly protocol?: string;
}

/** Never throws: a kernel without policy rules, or `ip` without JSON, has none of ours. */
export async function removeLeftovers(addresses: readonly HaAddress[], planned: Leftovers): Promise<void> {
  const ha = new Set(addresses.map(({ address }) => canonical(address)));
  await Promise.all(
    ([4, 6] as const).map(async (family) => {
      const ofFamily = (one: { readonly family: 4 | 6 }) => one.family === family;
      const [routes, rules] = await Promise.all([
        listed<IpRoute>(family, ["route", "show", "table", "all", "proto", String(ourProtocol)]),
        listed<IpRule>(family, ["rule", "show"]),
      ]);
      const commands = [
        ...deletions(planned.routes.filter(ofFamily), planned.rules.filter(ofFamily)).any,
        ...deletions([], planned.rules.filter(ofFamily)).v6,
        ...routes
          .filter(({ prefsrc }) => prefsrc !== undefined && ha.has(canonical(prefsrc)))
          .map(({ dst, table }) => `route del ${dst} table ${table ?? "main"} proto ${ourProtocol}`),
        ...rules
          .filter(({ protocol }) => protocol === String(ourProtocol))
          .filter(({ src = "", dst = "" }) => ha.has(canonical(src)) || ha.has(canonical(dst)))
          .map(({ priority }) => `rule del priority ${priority} protocol ${ourProtocol}`),
      ];
      await batch(family, commands);
    }),
  );
}

async function listed<T>(family: 4 | 6, args: readonly string[]): Promise<readonly T[]> {
  const text = await run([`-${family}`, "-json", ...args], undefined);
  try {
    return JSON.parse(text || "[]") as readonly T[];
  } catch {
    return [];
  }
}

/** What the kernel says to deletions does not matter: what is not there need not go. */
async function batch(family: 4 | 6, commands: readonly string[]): Promise<void> {
  if (commands.length > 0)
    await run([`-${family}`, "-force", "-batch", "-"], commands.map((command) => `${command}\n`).join(""));
}

function run(args: readonly string[], input: string | undefined): Promise<string> {
  const how: SpawnOptions = { stdio: ["pipe", "pipe", "ignore"], timeout: 5000 };
  return new Promise((resolve) => {
    const ip = spawn("ip", args, how);
    const output: Buffer[] = [];
    ip.once("error", () => resolve(""));
    ip.once("close", () => resolve(Buffer.concat(output).toString()));
    ip.stdout?.on("data", (chunk: Buffer) => output.push(chunk));
    ip.stdin?.on("error", () => {});
    ip.stdin?.end(input);
  });
}
