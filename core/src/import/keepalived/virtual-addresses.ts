/** `virtual_ipaddress { ADDRESS[/MASK] [brd IP] [dev NAME] [scope S] [label L] … }` as HA addresses. */

import { isIP } from "node:net";
import { isInterfaceName, prefixOfMask } from "../draft.js";
import type { WantedHa } from "../ha-addresses.js";
import type { Say } from "./reporting.js";
import type { Statement } from "./statements.js";

const withValue = new Set([
  "brd",
  "broadcast",
  "dev",
  "scope",
  "label",
  "peer",
  "track_group",
  "preferred_lft",
]);

export function virtualAddress(
  say: Say,
  statement: Statement,
  instanceInterface: string | undefined,
): WantedHa | undefined {
  const [first = "", ...options] = statement.words;
  const [address = "", mask] = first.split("/");
  const family = isIP(address);
  const drop = (why: string) => {
    say(statement, "dropped", why);
    return undefined;
  };
  if (family === 0) return drop("it is no IP address");
  const prefixLength =
    mask === undefined
      ? family === 4
        ? 32
        : 128
      : /^\d{1,3}$/.test(mask)
        ? Number(mask)
        : prefixOfMask(mask);
  if (prefixLength === undefined || prefixLength < 1 || prefixLength > (family === 4 ? 32 : 128))
    return drop(`/${mask} is no prefix length`);
  let device = instanceInterface;
  const lost: string[] = [];
  for (let index = 0; index < options.length; index += 1) {
    const option = options[index] ?? "";
    const value = withValue.has(option) ? options[index + 1] : undefined;
    if (withValue.has(option)) index += 1;
    if (option === "dev" && value !== undefined) device = value;
    else lost.push(value === undefined ? option : `${option} ${value}`);
  }
  if (device !== undefined && !isInterfaceName(device)) return drop(`${device} is no network interface`);
  return {
    address,
    prefixLength,
    interfaceName: device,
    settled(problem) {
      if (problem !== undefined) say(statement, "dropped", problem);
      else if (lost.length === 0) say(statement, "taken", "HA address");
      else say(statement, "changed", `HA address, without ${lost.join(", ")}`);
    },
  };
}
