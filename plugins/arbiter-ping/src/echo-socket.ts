/**
 * A socket for ICMP echo, by way of the C library: the unprivileged kind where the system lets us (icmp(7),
 * ping_group_range), else a raw one. Every call returns at once.
 */

import type { Koffi } from "./koffi-type.js";

export interface EchoSocket {
  /** Undefined when the kernel took it, else why not. */
  send(address: Uint8Array, scope: string | undefined, message: Uint8Array): string | undefined;
  /** The next datagram that has arrived; valid until the next call. */
  receive(): Uint8Array | undefined;
  close(): void;
}

/** Numbers of Linux: socket(2), ip(7), ipv6(7). */
const AF_INET = 2;
const AF_INET6 = 10;
const SOCK_DGRAM = 2;
const SOCK_RAW = 3;
const SOCK_NONBLOCK = 0o4000;
const SOCK_CLOEXEC = 0o2000000;
const IPPROTO_ICMP = 1;
const IPPROTO_ICMPV6 = 58;
const littleEndian = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

export type OpenEcho = (family: 4 | 6) => EchoSocket | string;

/** Loads the C library. Rejects where there is none to be had. */
export async function echoSockets(): Promise<OpenEcho> {
  if (process.platform !== "linux") throw new Error(`ICMP sockets are not known on ${process.platform}`);
  const { default: koffi } = await import("koffi");
  const libc = koffi.load(null);
  const calls = {
    socket: libc.func("int socket(int, int, int)"),
    sendto: libc.func("long sendto(int, const void *, size_t, int, const void *, int)"),
    recv: libc.func("long recv(int, void *, size_t, int)"),
    close: libc.func("int close(int)"),
    nameToIndex: libc.func("unsigned int if_nametoindex(const char *)"),
  };
  return (family) => open(koffi, calls, family);
}

type Calls = Readonly<
  Record<
    "socket" | "sendto" | "recv" | "close" | "nameToIndex",
    ReturnType<ReturnType<Koffi["load"]>["func"]>
  >
>;

function open(
  koffi: Koffi,
  { socket, sendto, recv, close, nameToIndex }: Calls,
  family: 4 | 6,
): EchoSocket | string {
  const domain = family === 4 ? AF_INET : AF_INET6;
  const protocol = family === 4 ? IPPROTO_ICMP : IPPROTO_ICMPV6;
  const flags = SOCK_NONBLOCK | SOCK_CLOEXEC;
  let descriptor: number = socket(domain, SOCK_DGRAM | flags, protocol);
  if (descriptor < 0) descriptor = socket(domain, SOCK_RAW | flags, protocol);
  if (descriptor < 0) return `no ICMP socket for IPv${family}: ${nameOf(koffi)}`;
  const received = Buffer.alloc(512);
  return {
    send(address, scope, message) {
      const to = socketAddress(domain, address, scope === undefined ? 0 : Number(nameToIndex(scope)));
      return Number(sendto(descriptor, message, message.length, 0, to, to.length)) >= 0
        ? undefined
        : nameOf(koffi);
    },
    receive() {
      const length = Number(recv(descriptor, received, received.length, 0));
      return length < 0 ? undefined : received.subarray(0, length);
    },
    close: () => void close(descriptor),
  };
}

function socketAddress(domain: number, address: Uint8Array, scopeId: number): Buffer {
  const bytes = Buffer.alloc(domain === AF_INET ? 16 : 28);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  view.setUint16(0, domain, littleEndian);
  bytes.set(address, domain === AF_INET ? 4 : 8);
  if (domain === AF_INET6) view.setUint32(24, scopeId, littleEndian);
  return bytes;
}

function nameOf(koffi: Koffi): string {
  const code = koffi.errno();
  const found = Object.entries(koffi.os.errno).find(([, value]) => value === code);
  return found?.[0] ?? `error ${code}`;
}
