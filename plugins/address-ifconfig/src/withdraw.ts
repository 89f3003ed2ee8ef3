/**
 * Takes the HA addresses off this machine with nothing but the command: at every start (rule R6), and in the surviving
 * process when pulse has died (rule R12). May spawn, so it is never used while the pair decides.
 */

import { execFile } from "node:child_process";
import { accessSync, constants } from "node:fs";
import type { HaAddress, Outcome } from "@understudy/core/public";
import { familiesOf, haAddressesIn } from "./address-table.js";
import { listCommand, removeCommand } from "./commands.js";
import { ifconfigError } from "./errors.js";
import { type LogicalInterface, parseListing } from "./listing.js";

const commandDeadlineMs = 3000;

interface Ran {
  readonly failed: boolean;
  readonly output: string;
  readonly complaint: string;
}

function run(line: string): Promise<Ran> {
  return new Promise((resolve) => {
    const options = {
      timeout: commandDeadlineMs,
      maxBuffer: 16 * 1024 * 1024,
      env: { ...process.env, LC_ALL: "C" },
    };
    execFile("/bin/sh", ["-c", line], options, (error, output, errors) => {
      const complaint = errors.trim().split("\n").at(-1) || error?.message || "";
      resolve({ failed: error !== null, output, complaint });
    });
  });
}

/** Throws an UnderstudyError when the command is not there or prints something else. */
export async function listInterfaces(
  command: string,
  addresses: readonly HaAddress[],
): Promise<readonly LogicalInterface[]> {
  try {
    accessSync(command, constants.X_OK);
  } catch (cause) {
    throw ifconfigError("IFCONFIG_MISSING", `there is no program ${command}`, { cause });
  }
  const { failed, output, complaint } = await run(listCommand(command, familiesOf(addresses)));
  const listing = failed ? undefined : parseListing(output.split("\n"));
  if (listing !== undefined) return listing;
  const line = output.split("\n").find((one) => one.trim() !== "") ?? "nothing";
  const what = failed
    ? `${command} -a failed: ${complaint}`
    : `${command} -a printed ${JSON.stringify(line.slice(0, 80))}`;
  throw ifconfigError("IFCONFIG_UNREADABLE", what);
}

export interface Left extends LogicalInterface {
  /** What ifconfig said. */
  readonly complaint: string;
}

/** Removes and asks the kernel; what it returns is still there. */
export async function removeEverywhere(
  command: string,
  addresses: readonly HaAddress[],
): Promise<readonly Left[]> {
  const there = haAddressesIn(await listInterfaces(command, addresses), addresses);
  if (there.length === 0) return [];
  const complaints = new Map<string, string>();
  for (const found of there) {
    const { failed, complaint } = await run(removeCommand(command, found));
    if (failed) complaints.set(found.name, complaint);
  }
  const left = haAddressesIn(await listInterfaces(command, addresses), addresses);
  return left.map((found) => ({ ...found, complaint: complaints.get(found.name) ?? "it came back" }));
}

export async function withdrawAll(command: string, addresses: readonly HaAddress[]): Promise<Outcome> {
  try {
    return (await removeEverywhere(command, addresses)).length === 0 ? "confirmed" : "unknown";
  } catch {
    return "unknown";
  }
}
