/**
 * The command lines this plugin gives to a shell. Pure. Every word that comes from outside is quoted, although the schema
 * of the config lets none through that would need it.
 */

import type { HaAddress } from "@understudy/core/public";
import type { LogicalInterface } from "./listing.js";

export interface PlacedAddress extends HaAddress {
  readonly interfaceName: string;
}

export type Removable = Pick<LogicalInterface, "address" | "family" | "physical">;

export function quoted(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}

const familyWord = (family: 4 | 6) => (family === 4 ? "inet" : "inet6");

/**
 * A listing of both families whatever DEFAULT_IP in /etc/default/inet_type says, which the plain `-a` obeys (ifconfig(8),
 * OPERANDS, address_family).
 */
export function listCommand(command: string, families: readonly (4 | 6)[]): string {
  return families.map((family) => `${quoted(command)} -a${family}`).join(" && ");
}

/**
 * `deprecated`: the node's own traffic never leaves with the HA address (ifconfig(8), OPTIONS). `up` last: the kernel
 * begins its duplicate address detection with it.
 */
export function addCommand(command: string, placed: PlacedAddress): string {
  const { interfaceName, family, address, prefixLength } = placed;
  const words = [
    interfaceName,
    familyWord(family),
    "addif",
    `${address}/${prefixLength}`,
    "deprecated",
    "up",
  ];
  return [command, ...words].map(quoted).join(" ");
}

/** Without a prefix length: the synopsis of the manual allows one, the program refuses it. */
export function removeCommand(command: string, { physical, family, address }: Removable): string {
  return [command, physical, familyWord(family), "removeif", address].map(quoted).join(" ");
}

/**
 * Shell functions for where nothing of ours runs any more: `withdraw` removes every HA address from its interface and,
 * where it is not there, from whatever interface a listing shows it on, for IPMP moves addresses.
 */
export function withdrawScript(command: string, addresses: readonly PlacedAddress[]): string {
  const one = addresses.map((placed) => {
    const remove = removeCommand(command, { ...placed, physical: placed.interfaceName });
    return `${remove} >/dev/null 2>&1 || sweep ${placed.family} ${familyWord(placed.family)} ${quoted(placed.address)}`;
  });
  const program = quoted(command);
  return `sweep() {
  ${program} "-a$1" 2>/dev/null | {
    current=
    while read -r first second rest; do
      case $first in
        *:) current=\${first%:} ;;
        "$2") [ "\${second%%/*}" != "$3" ] || ${program} "\${current%%:*}" "$2" removeif "$3" >/dev/null 2>&1 ;;
      esac
    done
  }
}
withdraw() {
  ${one.join("\n  ")}
}`;
}
