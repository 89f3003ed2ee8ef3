/**
 * The names of the differentiated services code points, and what the kernel is told for one (RFC 2474, RFC 2597, RFC
 * 3246, RFC 8622). Pure.
 */

export const dscpNames = [
  ...["CS0", "CS1", "CS2", "CS3", "CS4", "CS5", "CS6", "CS7"],
  ...["AF11", "AF12", "AF13", "AF21", "AF22", "AF23", "AF31", "AF32", "AF33", "AF41", "AF42", "AF43"],
  ...["EF", "LE"],
] as const;

/** Class selector 6, network control (RFC 4594 section 3.1): what keepalived marks VRRP with too. */
export const defaultDscp = "CS6";

/** 0 to 63. The class of a CS or AF name is its upper three bits, the drop precedence of AF the next two. */
export function dscpValue(dscp: number | string): number {
  if (typeof dscp === "number") return dscp;
  if (dscp === "EF") return 46;
  if (dscp === "LE") return 1;
  const [, group, kind, precedence] = /^(CS|AF)(\d)(\d?)$/.exec(dscp) ?? [];
  if (group === undefined) throw new RangeError(`${dscp} is no name of a code point`);
  return Number(kind) * 8 + Number(precedence ?? 0) * 2;
}

/** As the byte in the IP header: the lower two bits belong to congestion notification. */
export const trafficClass = (value: number): number => value << 2;

/**
 * What the machine's own queue does with it (socket(7), SO_PRIORITY): 6 is the highest that needs no CAP_NET_ADMIN, and
 * pfifo_fast sends it first. From CS5 on, the classes of voice and control; the kernel derives nothing from the code point.
 */
export const socketPriority = (value: number): number => (value >= 40 ? 6 : 0);
