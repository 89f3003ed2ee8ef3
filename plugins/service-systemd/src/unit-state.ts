/** What `systemctl show` says of a unit, and what that means for a service of the pair. */

import type { RunState } from "@understudy/core/public";

export interface UnitState {
  /** systemctl(1) lists them under "list-units": active, reloading, inactive, failed, activating, deactivating … */
  readonly active: string;
  /** loaded, not-found, masked, bad-setting … */
  readonly load: string;
  readonly sub: string;
  /** success, exit-code, timeout, start-limit-hit … */
  readonly result: string;
}

export const shownProperties = "--property=LoadState,ActiveState,SubState,Result";

export function parseShown(output: string): UnitState {
  const values = new Map(
    output.split("\n").map((line) => {
      const at = line.indexOf("=");
      return [line.slice(0, at), line.slice(at + 1).trim()] as const;
    }),
  );
  return {
    active: values.get("ActiveState") ?? "unknown",
    load: values.get("LoadState") ?? "unknown",
    sub: values.get("SubState") ?? "unknown",
    result: values.get("Result") ?? "unknown",
  };
}

export function runStateOf({ active }: UnitState): RunState {
  switch (active) {
    case "active":
    case "reloading":
    case "refreshing":
      return "running";
    case "activating":
      return "starting";
    case "inactive":
    // It ended badly, and nothing of it runs.
    case "failed":
      return "stopped";
    default:
      return "broken";
  }
}

export function describeState({ active, load, sub, result }: UnitState): string {
  if (load !== "loaded") return `the unit is ${load}`;
  return `the unit is ${active} (${sub})${result === "success" ? "" : `, result ${result}`}`;
}
