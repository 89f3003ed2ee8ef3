/**
 * The hardware watchdog of rule R4: a device that resets the machine when it is not written to. Pulse feeds it for as
 * long as its loop judges and it is obeyed; what a hung kernel or a hung pulse leaves behind ends with the reset.
 */

import { closeSync, constants, openSync, writeSync } from "node:fs";
import type { Role } from "../heartbeat/beat.js";
import type { Protection } from "../plugin/contract.js";
import type { Log } from "../plugin/tokens.js";
import { whatDriverTells } from "./watchdog-driver.js";
import { setDriverTimeout } from "./watchdog-ioctl.js";

export interface WatchdogOptions {
  /** Such as /dev/watchdog. */
  readonly device: string;
  /** After so long without a write the hardware resets the machine, milliseconds; whole seconds for the driver. */
  readonly timeoutMs: number;
}

export interface WatchdogNeeds {
  readonly log: Log;
  /** The protection is not what it was. Called at most once for each reason. */
  readonly changed: (detail: string) => void;
}

export interface Watchdog {
  /** A poll pass was judged (rule R10) with this role since then: the sign of health. Synchronous; at most one write. */
  judged(atMs: number, role: Role, roleSinceMs: number): void;
  protection(): Protection;
  /** The kernel confirmed that nothing is held: says goodbye to the device, which then leaves the machine alone. */
  disarm(): void;
  /** Closes the device and leaves it running, as a crash would. */
  abandon(): void;
}

/** Drivers count from one second upwards, so a second suits them all as long as beats are much quicker than that. */
const longestFeedMs = 1000;
/** Linux, Documentation/watchdog/watchdog-api.rst: "V" before a close stops the timer, any other byte feeds it. */
const food = Buffer.from("\0");
const magicClose = Buffer.from("V");

interface Opened {
  readonly file: number;
  readonly timeoutMs: number | undefined;
  /** Why the asked time is not in force; "" when it is. */
  readonly complaint: string;
  readonly nowayout: boolean;
}

/** Never throws and never keeps a node from starting: what fails is the protection's detail. Opening starts the timer. */
export async function openWatchdog(options: WatchdogOptions, needs: WatchdogNeeds): Promise<Watchdog> {
  const { log } = needs;
  let opened: Opened | string;
  try {
    opened = await open(options);
  } catch (error) {
    opened = reasonOf(error as NodeJS.ErrnoException, options.device);
  }
  if (typeof opened === "string") log.error({ detail: opened }, "the hardware watchdog is not in force");
  else if (opened.complaint !== "")
    log.warn({ detail: opened.complaint }, "the hardware watchdog keeps its own time");
  return createWatchdog(options, opened, needs);
}

function createWatchdog(options: WatchdogOptions, start: Opened | string, needs: WatchdogNeeds): Watchdog {
  const { device, timeoutMs } = options;
  const { log, changed } = needs;
  let opened = typeof start === "string" ? undefined : start;
  let problem = typeof start === "string" ? start : undefined;
  let fedMs = Number.NEGATIVE_INFINITY;
  const feedEveryMs = Math.min(longestFeedMs, (opened?.timeoutMs ?? timeoutMs) / 4);

  function say(next: string | undefined): void {
    if (next === problem) return;
    problem = next;
    changed(next === undefined ? "the hardware watchdog is fed again" : `the hardware watchdog: ${next}`);
    if (next !== undefined) log.error({ detail: next }, "the hardware watchdog is not fed");
  }

  function close(last: Buffer | undefined): void {
    const closing = opened;
    opened = undefined;
    if (closing === undefined) return;
    try {
      if (last !== undefined) writeSync(closing.file, last);
    } catch (error) {
      log.error(
        { error, device },
        "the hardware watchdog could not be told that all is well: it will reset this machine",
      );
    }
    closeSync(closing.file);
  }

  return {
    judged(atMs, role, roleSinceMs) {
      if (opened === undefined || atMs - fedMs < feedEveryMs) return;
      // A kernel that does not take the address off is what this device is for: nothing else would end the answering.
      if (role === "releasing" && atMs - roleSinceMs > timeoutMs) {
        say("not fed, because the HA address cannot be given up: the machine is about to be reset");
        return;
      }
      try {
        writeSync(opened.file, food);
        fedMs = atMs;
        say(undefined);
      } catch (error) {
        say(`writing failed: ${(error as NodeJS.ErrnoException).code ?? (error as Error).message}`);
      }
    },
    protection() {
      const inForce = opened !== undefined && problem === undefined;
      return { name: "hardware-watchdog", inForce, detail: problem ?? detailOf(opened, device) };
    },
    disarm() {
      if (opened?.nowayout === true)
        log.warn(
          { device },
          "the driver was loaded with nowayout: it resets this machine unless something feeds it",
        );
      close(opened?.nowayout === true ? undefined : magicClose);
    },
    abandon: () => close(undefined),
  };
}

function detailOf(opened: Opened | undefined, device: string): string {
  if (opened === undefined) return "closed";
  const { timeoutMs, complaint, nowayout } = opened;
  const when = timeoutMs === undefined ? "after the driver's own time" : `after ${timeoutMs / 1000} s`;
  const also = [complaint, nowayout ? "nowayout: it goes on when pulse ends" : ""].filter(
    (part) => part !== "",
  );
  return [`${device} resets the machine ${when} without a sign of health`, ...also].join("; ");
}

async function open({ device, timeoutMs }: WatchdogOptions): Promise<Opened> {
  const told = whatDriverTells(device);
  // Not waiting: a driver's write is short, and whatever else stands at that path must not hold up a beat.
  const file = openSync(device, constants.O_WRONLY | constants.O_NONBLOCK);
  const set = await setDriverTimeout(file, Math.ceil(timeoutMs / 1000));
  const seconds = typeof set === "number" ? set : told.timeoutSeconds;
  const wanted = Math.ceil(timeoutMs / 1000);
  const reason = typeof set === "string" ? `${wanted} s could not be set: ${set}` : "";
  const other = typeof set === "number" && set !== wanted ? `the driver made ${set} s of ${wanted} s` : "";
  return {
    file,
    timeoutMs: seconds === undefined ? undefined : seconds * 1000,
    complaint: reason || other,
    nowayout: told.nowayout,
  };
}

function reasonOf({ code, message }: NodeJS.ErrnoException, device: string): string {
  if (code === "ENOENT")
    return `there is no ${device}: no driver is loaded, or this unit sees no devices (PrivateDevices)`;
  if (code === "EBUSY")
    return `${device} is in use: another program feeds it (systemd's RuntimeWatchdogSec?)`;
  if (code === "EACCES" || code === "EPERM") return `${device} may not be opened: ${code}`;
  return `${device} cannot be opened: ${code ?? message}`;
}
