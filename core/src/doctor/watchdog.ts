/**
 * Whether the hardware watchdog of the config is there, and what its driver says of it. The device itself is never opened:
 * that would start it.
 */

import { existsSync } from "node:fs";
import type { Config } from "../config/config.js";
import { whatDriverTells } from "../pulse/watchdog-driver.js";
import { type Finding, finding } from "./finding.js";

/** Nothing where the config names none. */
export function checkWatchdog({ watchdog }: Pick<Config, "watchdog">): readonly Finding[] {
  if (watchdog === undefined) return [];
  const { device, timeoutMs } = watchdog;
  if (!existsSync(device)) {
    const todo =
      "Load the driver of this machine's watchdog (in a virtual machine: give it one, such as i6300esb).";
    return [finding("watchdog", "fail", `there is no ${device}: nothing would reset this machine`, todo)];
  }
  const { identity, nowayout, timeoutSeconds } = whatDriverTells(device);
  const name = identity === undefined ? device : `${device} (${identity})`;
  const own = timeoutSeconds === undefined ? "" : `; its own time is ${timeoutSeconds} s`;
  const found = [finding("watchdog", "ok", `${name} is there, for ${timeoutMs / 1000} s${own}`)];
  if (!nowayout) return found;
  const what = "its driver was loaded with nowayout: it resets this machine after every stop of pulse";
  return [
    ...found,
    finding("watchdog", "warn", what, "Load the driver without nowayout, or never stop pulse for longer."),
  ];
}
