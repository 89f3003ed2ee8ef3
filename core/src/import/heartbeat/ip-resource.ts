/** The address of IPaddr, IPaddr2 and IPv6addr: `ip[/bits[/interface[:label]][/broadcast]]`. */

import { isIP } from "node:net";
import { isInterfaceName, prefixOfMask } from "../draft.js";

export interface IpResource {
  readonly address: string;
  readonly prefixLength: number | undefined;
  readonly interfaceName: string | undefined;
  /** What is not taken over: "the label eth0:1", "the broadcast address 10.0.0.255". */
  readonly lost: readonly string[];
}

/** The text is why it cannot be understood. */
export function ipResource(text: string, family: 4 | 6): IpResource | string {
  const [address = "", bits, ...rest] = text.split("/");
  if (isIP(address) !== family) return `${address || "nothing"} is no IPv${family} address`;
  let prefixLength: number | undefined;
  if (bits !== undefined && bits !== "") {
    const number = /^\d{1,3}$/.test(bits) ? Number(bits) : prefixOfMask(bits);
    if (number === undefined || number < 1 || number > (family === 4 ? 32 : 128))
      return `/${bits} is no netmask`;
    prefixLength = number;
  }
  let interfaceName: string | undefined;
  const lost: string[] = [];
  for (const part of rest) {
    // A number in this place is a broadcast address, everything else an interface.
    if (isIP(part) === 4) lost.push(`the broadcast address ${part}`);
    else if (part !== "") {
      const [device = "", label] = part.split(":");
      if (!isInterfaceName(device)) return `${part} is no network interface`;
      interfaceName = device;
      if (label !== undefined) lost.push(`the label ${part}`);
    }
  }
  return { address, prefixLength, interfaceName, lost };
}
