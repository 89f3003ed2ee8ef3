/** What the driver of a watchdog says of it in sysfs, without the device being opened, for opening it starts it. */

import { readFileSync } from "node:fs";
import { basename } from "node:path";

export interface DriverFacts {
  readonly identity: string | undefined;
  /** It cannot be told to leave the machine alone once it runs. False also where the kernel does not say. */
  readonly nowayout: boolean;
  readonly timeoutSeconds: number | undefined;
}

/** Linux, Documentation/ABI/testing/sysfs-class-watchdog; kernels without CONFIG_WATCHDOG_SYSFS tell nothing. */
export function whatDriverTells(device: string, folder = "/sys/class/watchdog"): DriverFacts {
  // /dev/watchdog is the first of them under its old name.
  const name = basename(device) === "watchdog" ? "watchdog0" : basename(device);
  const read = (what: string): string | undefined => {
    try {
      return readFileSync(`${folder}/${name}/${what}`, "utf8").trim();
    } catch {
      return undefined;
    }
  };
  const seconds = Number(read("timeout"));
  return {
    identity: read("identity"),
    nowayout: read("nowayout") === "1",
    timeoutSeconds: seconds > 0 ? seconds : undefined,
  };
}
