/** Which two machines the pair is, from the names in the files and the answers; and what must be asked for. */

import { parseHostAddress } from "../config/ip-text.js";
import type { Answers, Missing } from "./answers.js";
import { nodeName } from "./draft.js";

export interface Found {
  /** The primary first; undefined while something is missing. */
  readonly nodes: readonly (readonly [name: string, addresses: readonly string[]])[] | undefined;
  /** How the files call them, in lower case; none while that is not known. */
  readonly chosen: readonly string[];
  readonly missing: readonly Missing[];
}

/** `named`: the nodes of the files, none where they name none. `primary`: which of them normally serves, if they say so. */
export function findNodes(named: readonly string[], primary: string | undefined, answers: Answers): Found {
  const missing: Missing[] = [];
  const known = [...new Set(named.map((name) => name.toLowerCase()))];
  const given = new Map<string, string[]>();
  for (const { name, addresses } of answers.nodes) {
    const lower = name.toLowerCase();
    if (known.length > 0 && !known.includes(lower)) {
      missing.push({
        flag: "--address NAME=IP",
        why: `${name} is none of the nodes in the file: ${known.join(", ")}`,
      });
      continue;
    }
    const right = given.get(lower) ?? [];
    for (const text of addresses) {
      const parsed = parseHostAddress(text);
      if ("problem" in parsed)
        missing.push({ flag: `--address ${name}=IP`, why: `${text} ${parsed.problem}` });
      else if (parsed.prefixLength !== undefined)
        missing.push({ flag: `--address ${name}=IP`, why: `${text} must be without a prefix length` });
      else right.push(parsed.address);
    }
    given.set(lower, right);
  }
  const chosen = known.length === 2 ? known : [...given.keys()];
  if (known.length !== 2 && chosen.length !== 2) {
    const why =
      known.length === 0
        ? "the file does not name the two nodes: give it twice, the primary first"
        : `the file names ${known.length === 1 ? "one node" : `${known.length} nodes`} (${known.join(", ")}), and a pair has two: give it twice`;
    return { nodes: undefined, chosen: [], missing: [...missing, { flag: "--address NAME=IP", why }] };
  }
  const inOrder = ordered(chosen, primary?.toLowerCase());
  for (const name of inOrder) {
    if ((given.get(name) ?? []).length === 0)
      missing.push({ flag: `--address ${name}=IP`, why: `the own address of ${name} is not in the files` });
  }
  missing.push(...clashes(inOrder.map((name) => given.get(name) ?? [])));
  if (missing.length > 0) return { nodes: undefined, chosen: inOrder, missing };
  const names = distinct(inOrder.map(nodeName));
  const nodes = inOrder.map((name, index) => [names[index] ?? name, given.get(name) ?? []] as const);
  return { nodes, chosen: inOrder, missing };
}

function ordered(names: readonly string[], primary: string | undefined): readonly string[] {
  if (primary === undefined || !names.includes(primary)) return names;
  return [primary, ...names.filter((name) => name !== primary)];
}

function distinct(names: readonly string[]): readonly string[] {
  return names[0]?.toLowerCase() === names[1]?.toLowerCase()
    ? names.map((name, index) => `${name}-${index + 1}`)
    : names;
}

function clashes([one = [], two = []]: readonly (readonly string[])[]): readonly Missing[] {
  const flag = "--address NAME=IP";
  const all = [...one, ...two];
  if (new Set(all).size < all.length)
    return [{ flag, why: "an address is given twice: each node needs its own" }];
  if (all.length > 0 && Math.max(one.length, two.length) > 16)
    return [{ flag, why: "a node can have 16 addresses" }];
  const family = (list: readonly string[]) => list[0]?.includes(":");
  if (one.length > 0 && two.length > 0 && family(one) !== family(two))
    return [{ flag, why: "the first address of both nodes must be of one family, IPv4 or IPv6" }];
  return [];
}
