/**
 * From Heartbeat's media to our paths: one path a network, since a second one over the same network proves nothing, and one
 * of them is the clients'. Says what must be asked for: on which addresses the nodes are there.
 */

import { isIP } from "node:net";
import type { Answers, Missing } from "../answers.js";
import { mostPaths } from "../draft.js";
import { canonical } from "../ha-addresses.js";
import type { Decision, Medium } from "./ha-cf-state.js";

export interface Paths {
  readonly paths: readonly Record<string, unknown>[];
  readonly missing: readonly Missing[];
  readonly decisions: ReadonlyMap<Medium, Decision>;
}

type Nodes = readonly (readonly [name: string, addresses: readonly string[]])[];

export function mediaPaths(
  media: readonly Medium[],
  /** Where the HA addresses are, if the files say so. */
  clientInterface: string | undefined,
  nodes: Nodes | undefined,
  answers: Answers,
): Paths {
  const decisions = new Map<Medium, Decision>();
  const missing: Missing[] = [];
  const network = media.filter(({ kind }) => kind !== "serial");
  const interfaces = [...new Set(network.map(({ on }) => on))];
  const client = interfaces.find((name) => name === clientInterface) ?? interfaces[0];
  const paths: Record<string, unknown>[] = [{ plugin: "udp", class: "client" }];
  for (const on of interfaces) {
    const here = network.filter((medium) => medium.on === on);
    const isClient = on === client;
    const addresses =
      isClient && !answers.paths.has(on) ? undefined : addressesOn(on, here, nodes, answers, missing);
    const clear = isClient || (addresses !== undefined && paths.length < mostPaths);
    if (isClient && addresses !== undefined) paths[0] = { plugin: "udp", class: "client", addresses };
    else if (clear && !isClient)
      paths.push({ plugin: "udp", class: "private", ...named(on, paths), addresses });
    for (const [index, medium] of here.entries())
      decisions.set(medium, decisionOf(medium, index, here, isClient));
  }
  for (const medium of media.filter(({ kind }) => kind === "serial")) {
    const twice = paths.some(({ device }) => device === medium.on);
    if (twice || paths.length >= mostPaths) {
      decisions.set(medium, {
        fate: "dropped",
        note: twice ? "the line is named twice" : `there can be ${mostPaths} paths`,
      });
      continue;
    }
    paths.push({
      plugin: "serial",
      class: "private",
      ...named(medium.on.split("/").at(-1) ?? "", paths),
      device: medium.on,
      baud: medium.baud,
    });
    decisions.set(medium, {
      fate: "changed",
      note: `path of the class private at ${medium.baud} baud: it shows that the other node lives, and never hides that it cannot serve`,
    });
  }
  return { paths, missing, decisions };
}

function decisionOf(medium: Medium, index: number, here: readonly Medium[], isClient: boolean): Decision {
  const path = isClient ? "path of the class client" : "path of the class private";
  // Heartbeat wants a ucast line for each node, and each ignores its own.
  if (index > 0 && !(medium.kind === "ucast" && here[0]?.kind === "ucast"))
    return {
      fate: "dropped",
      note: `line ${here[0]?.line.number} uses ${medium.on} already: a second path there proves nothing`,
    };
  if (medium.kind === "ucast")
    return { fate: "taken", note: `${path}: UDP to the other node's address on ${medium.on}` };
  const how = medium.kind === "bcast" ? "broadcast" : `multicast to ${medium.group}`;
  return {
    fate: "changed",
    note: `${path}: UDP to the other node's own address on ${medium.on} instead of ${how}, as 50 beats a second would wake every host there`,
  };
}

function named(on: string, others: readonly Record<string, unknown>[]): Record<string, string> {
  return /^[a-z0-9][a-z0-9-]{0,30}$/i.test(on) && !others.some(({ name }) => name === on) ? { name: on } : {};
}

/** What both nodes are called on that network: given, or from ucast lines that name addresses of both. */
function addressesOn(
  on: string,
  media: readonly Medium[],
  nodes: Nodes | undefined,
  answers: Answers,
  missing: Missing[],
): { readonly primary: string; readonly secondary: string } | undefined {
  const flag = `--path ${on}=PRIMARY_IP,SECONDARY_IP`;
  const given = answers.paths.get(on);
  if (given !== undefined) {
    const [primary, secondary] = given;
    const problem = pathProblem(primary, secondary);
    if (problem === undefined) return { primary, secondary };
    missing.push({ flag, why: problem });
    return undefined;
  }
  const named = new Set(media.flatMap(({ to }) => (to === undefined ? [] : [canonical(to)])));
  const [primary, secondary] = (nodes ?? []).map(([, addresses]) => addresses.find((one) => named.has(one)));
  if (primary !== undefined && secondary !== undefined) return { primary, secondary };
  const hint = named.size > 0 ? `; ha.cf names ${[...named].join(" and ")} there` : "";
  missing.push({
    flag,
    why: `the nodes' own addresses on ${on} (line ${media[0]?.line.number} of ha.cf) are not known${hint}`,
  });
  return undefined;
}

function pathProblem(primary: string, secondary: string): string | undefined {
  const families = [isIP(primary), isIP(secondary)];
  if (families.includes(0)) return `${families[0] === 0 ? primary : secondary} is no IP address`;
  if (families[0] !== families[1]) return "one address is IPv4 and the other IPv6";
  if (primary === secondary) return "both addresses are the same";
  const multicast = /^(22[4-9]|23\d)\.|^ff/i;
  return multicast.test(primary) || multicast.test(secondary)
    ? "a multicast group is no node's address"
    : undefined;
}
