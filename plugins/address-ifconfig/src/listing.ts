/**
 * What `ifconfig -a` prints, as values. One record is one logical interface: its name and flags on a line of their own,
 * then indented lines with its address, its zone and, on the physical interface alone, its IPMP group (ifconfig(8),
 * "INTERFACE FLAGS", "LOGICAL INTERFACES" and the listings of "EXAMPLES").
 */

export interface LogicalInterface {
  /** As listed: "net0", "net0:1". */
  readonly name: string;
  /** "net0" for both. */
  readonly physical: string;
  readonly family: 4 | 6;
  /** UP, RUNNING, DUPLICATE, NOFAILOVER, IPMP, LOOPBACK … */
  readonly flags: ReadonlySet<string>;
  readonly address: string;
  readonly prefixLength: number;
  /** The zone it is placed in, where that is not the one that asks. */
  readonly zone: string | undefined;
  readonly group: string | undefined;
}

interface Record {
  readonly name: string;
  readonly flags: ReadonlySet<string>;
  readonly details: string[];
}

/** `undefined`: this is no such listing, so nothing may be concluded from what it does not hold. */
export function parseListing(lines: readonly string[]): readonly LogicalInterface[] | undefined {
  const records: Record[] = [];
  for (const line of lines) {
    if (line.trim() === "") continue;
    const header = /^([^\s:]+(?::\d+)?): flags=[0-9a-f]+(?:<([^>]*)>)?/.exec(line);
    if (header?.[1] !== undefined)
      records.push({ name: header[1], flags: new Set((header[2] ?? "").split(",")), details: [line] });
    else if (/^\s/.test(line) && records.length > 0) records.at(-1)?.details.push(line);
    else return undefined;
  }
  return records.flatMap(logicalInterface);
}

/** An IPv6 interface that has no address yet, or an address family we do not know, is no record of ours. */
function logicalInterface({ name, flags, details }: Record): readonly LogicalInterface[] {
  const text = details.join("\n");
  const common = {
    name,
    physical: name.replace(/:\d+$/, ""),
    flags,
    zone: /\n\s*zone (\S+)/.exec(text)?.[1] ?? (/\n\s*all-zones/.test(text) ? "all zones" : undefined),
    group: /\n\s*groupname (\S+)/.exec(text)?.[1],
  };
  const v4 = /\n\s*inet (\d+\.\d+\.\d+\.\d+) /.exec(text)?.[1];
  const mask = /\bnetmask (?:0x)?([0-9a-f]{1,8})\b/.exec(text)?.[1];
  if (v4 !== undefined && mask !== undefined)
    return [{ ...common, family: 4, address: v4, prefixLength: lengthOf(mask) }];
  const v6 = /\n\s*inet6 ([0-9a-fA-F:.]+)\/(\d+)/.exec(text);
  if (v6?.[1] !== undefined)
    return [{ ...common, family: 6, address: v6[1].toLowerCase(), prefixLength: Number(v6[2]) }];
  return [];
}

/** The mask is printed as a number, so without leading zeros. */
function lengthOf(mask: string): number {
  const bits = Number.parseInt(mask, 16).toString(2);
  return bits === "0" ? 0 : bits.padStart(32, "0").lastIndexOf("1") + 1;
}

/** The kernel accepts what is sent to it; one that is a duplicate, or set down, is there but answers nobody. */
export function answers({ flags }: LogicalInterface): boolean {
  return flags.has("UP") && !flags.has("DUPLICATE");
}
