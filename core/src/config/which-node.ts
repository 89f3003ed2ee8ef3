/**
 * Finds out which of the two nodes this machine is. A node that cannot tell refuses to start, because a wrong guess
 * would make it its own peer.
 */

import { hostname, networkInterfaces } from "node:os";
import { configError } from "../errors/config.js";
import type { Config, NodeEntry } from "./config.js";
import { parseHostAddress } from "./ip-text.js";
import { nearestWord } from "./words.js";

export interface Machine {
  readonly hostName: string;
  /** Every address on its interfaces, canonical. */
  readonly addresses: readonly string[];
  /** UNDERSTUDY_NODE */
  readonly environment: string | undefined;
}

export function thisMachine(): Machine {
  const addresses = Object.values(networkInterfaces()).flatMap((list) =>
    (list ?? []).flatMap(({ address }) => {
      const parsed = parseHostAddress(address);
      return "address" in parsed ? [parsed.address] : [];
    }),
  );
  return { hostName: hostname(), addresses, environment: process.env.UNDERSTUDY_NODE || undefined };
}

/** Option, environment, address, host name: the first that says anything decides. Throws CONFIG_WHICH_NODE. */
export function whichNode(config: Config, asked: string | undefined, machine: Machine): NodeEntry {
  if (asked !== undefined) return named(config, asked, "--node");
  if (machine.environment !== undefined) return named(config, machine.environment, "UNDERSTUDY_NODE");
  const byAddress = config.nodes.filter(({ addresses }) =>
    addresses.some((address) => machine.addresses.includes(address)),
  );
  const [one, other] = byAddress;
  if (one !== undefined && other === undefined) return one;
  if (one !== undefined && other !== undefined) {
    throw configError(
      "CONFIG_WHICH_NODE",
      `addresses of both nodes, ${one.name} and ${other.name}, are on this machine`,
    );
  }
  const byName = config.nodes.find(({ name }) => sameHost(name, machine.hostName));
  if (byName !== undefined) return byName;
  const wanted = config.nodes.map(({ name, addresses }) => `${name} (${addresses.join(", ")})`).join(" nor ");
  throw configError(
    "CONFIG_WHICH_NODE",
    `this machine, ${machine.hostName} with ${machine.addresses.join(", ") || "no address"}, is neither ${wanted}`,
  );
}

function named(config: Config, name: string, from: string): NodeEntry {
  const found = config.nodes.find((node) => node.name === name);
  if (found !== undefined) return found;
  const names = config.nodes.map((node) => node.name);
  const near = nearestWord(name, names);
  const hint = near === undefined ? "" : `; did you mean ${near}?`;
  throw configError(
    "CONFIG_WHICH_NODE",
    `${from} says ${name}, but the nodes are ${names.join(" and ")}${hint}`,
  );
}

/** Equal, or equal in the first label where one of them has no domain. */
function sameHost(name: string, hostName: string): boolean {
  const [a, b] = [name.toLowerCase(), hostName.toLowerCase()];
  if (a === b) return true;
  return (!a.includes(".") || !b.includes(".")) && a.split(".")[0] === b.split(".")[0];
}
