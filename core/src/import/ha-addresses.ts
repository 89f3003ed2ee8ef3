/** The HA addresses of the files, with the prefix lengths that the files or the answers give them. */

import { parseHostAddress } from "../config/ip-text.js";
import type { Answers, Missing } from "./answers.js";
import { addHaAddress, type Draft } from "./draft.js";

export interface WantedHa {
  readonly address: string;
  readonly prefixLength: number | undefined;
  readonly interfaceName: string | undefined;
  /** Told what became of it: undefined when it was added. */
  settled(problem: string | undefined): void;
}

/** Fills `draft.haAddresses`, and returns what must be asked for. */
export function settleHaAddresses(
  draft: Draft,
  wanted: readonly WantedHa[],
  answers: Answers,
): readonly Missing[] {
  const missing: Missing[] = [];
  const given = new Map<string, number>();
  for (const text of answers.haAddresses) {
    const parsed = parseHostAddress(text);
    if ("problem" in parsed)
      missing.push({ flag: "--ha-address IP/PREFIX", why: `${text} ${parsed.problem}` });
    else if (parsed.prefixLength === undefined)
      missing.push({ flag: `--ha-address ${parsed.address}/PREFIX`, why: `${text} needs its prefix length` });
    else given.set(parsed.address, parsed.prefixLength);
  }
  const own = new Set(answers.nodes.flatMap(({ addresses }) => addresses.map(canonical)));
  for (const { address, prefixLength, interfaceName, settled } of wanted) {
    const name = canonical(address);
    const length = prefixLength ?? given.get(name);
    given.delete(name);
    const bare = parseHostAddress(address);
    if ("problem" in bare) settled(`an HA address ${bare.problem}`);
    else if (own.has(name)) settled("it is a node's own address, which never moves");
    else if (length === undefined) {
      missing.push({
        flag: `--ha-address ${name}/PREFIX`,
        why: `the prefix length of ${name} is not in the files`,
      });
      settled(undefined);
    } else settled(addHaAddress(draft, { address: name, prefixLength: length, interfaceName }));
  }
  for (const [address, prefixLength] of given) {
    if (own.has(address))
      missing.push({ flag: "--ha-address IP/PREFIX", why: `${address} is a node's own address` });
    else addHaAddress(draft, { address, prefixLength, interfaceName: undefined });
  }
  if (draft.haAddresses.length === 0 && missing.every(({ flag }) => !flag.startsWith("--ha-address")))
    missing.push({
      flag: "--ha-address IP/PREFIX",
      why: "the files name no address for the clients that can be used",
    });
  return missing;
}

export function canonical(text: string): string {
  const parsed = parseHostAddress(text);
  return "problem" in parsed ? text : parsed.address;
}
