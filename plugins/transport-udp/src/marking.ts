/**
 * Marks the frames of a socket for the switches and routers on the way. Node has no such option, so the C library is
 * asked; where it cannot be, the path runs unmarked and says why.
 */

import type { Socket } from "node:dgram";
import { socketPriority, trafficClass } from "./dscp.js";

/** Undefined when the frames are marked, else one reason. */
export type Mark = (socket: Socket, family: 4 | 6) => string | undefined;

/** ip(7), ipv6(7), socket(7): numbers of Linux. */
const IPPROTO_IP = 0;
const IP_TOS = 1;
const IPPROTO_IPV6 = 41;
const IPV6_TCLASS = 67;
const SOL_SOCKET = 1;
const SO_PRIORITY = 12;

/** Never rejects. `dscp` 0 leaves the socket as it is and loads nothing. */
export async function makeMark(dscp: number): Promise<Mark> {
  if (dscp === 0) return () => undefined;
  if (process.platform !== "linux") return () => `marking is not known on ${process.platform}`;
  try {
    const { default: koffi } = await import("koffi");
    const setsockopt = koffi
      .load(null)
      .func("int setsockopt(int, int, int, const void *, int)") as unknown as SetSocketOption;
    const set = (descriptor: number, level: number, name: number, value: number) => {
      const bytes = Buffer.from(Int32Array.of(value).buffer);
      return setsockopt(descriptor, level, name, bytes, bytes.length) === 0 ? undefined : koffi.errno();
    };
    return (socket, family) => mark(set, socket, family, dscp);
  } catch (error) {
    const why = `the C library cannot be called: ${firstLine(error)}`;
    return () => why;
  }
}

type SetSocketOption = (
  descriptor: number,
  level: number,
  name: number,
  value: Buffer,
  length: number,
) => number;

function mark(
  set: (descriptor: number, level: number, name: number, value: number) => number | undefined,
  socket: Socket,
  family: 4 | 6,
  dscp: number,
): string | undefined {
  const descriptor = descriptorOf(socket);
  if (descriptor === undefined) return "this Node does not tell the descriptor of a socket";
  const [level, name] = family === 4 ? [IPPROTO_IP, IP_TOS] : [IPPROTO_IPV6, IPV6_TCLASS];
  const refused = set(descriptor, level, name, trafficClass(dscp));
  if (refused !== undefined) return `the kernel refused it: error ${refused}`;
  // After the type of service, which sets the priority anew on IPv4.
  const priority = socketPriority(dscp);
  const unqueued = priority === 0 ? undefined : set(descriptor, SOL_SOCKET, SO_PRIORITY, priority);
  return unqueued === undefined ? undefined : `the kernel refused the priority: error ${unqueued}`;
}

/** Node keeps a bound socket's handle behind a symbol; the handle itself has a public `fd`. */
function descriptorOf(socket: Socket): number | undefined {
  const symbol = Object.getOwnPropertySymbols(socket).find(
    ({ description }) => description === "state symbol",
  );
  if (symbol === undefined) return undefined;
  const state = (socket as unknown as Record<symbol, { readonly handle?: { readonly fd?: unknown } | null }>)[
    symbol
  ];
  const descriptor = state?.handle?.fd;
  return typeof descriptor === "number" && descriptor >= 0 ? descriptor : undefined;
}

function firstLine(error: unknown): string {
  const [line = ""] = (error instanceof Error ? error.message : String(error)).split("\n");
  return line;
}
