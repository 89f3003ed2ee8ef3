/**
 * The few socket calls that Node lacks and the probing client needs: raw frames, raw ICMP and poll(2), straight from
 * libc. Linux on x86-64 and arm64 only, where these structures have the same layout.
 */

import koffi from "koffi";

const libc = koffi.load(null);

const socketOf = libc.func("int socket(int domain, int type, int protocol)");
const bindSocket = libc.func("int bind(int fd, const uint8_t *address, uint32_t size)");
const sendFrame = libc.func(
  "int64_t sendto(int fd, const uint8_t *data, size_t length, int flags, const uint8_t *address, uint32_t size)",
);
const receiveFrame = libc.func(
  "int64_t recvfrom(int fd, uint8_t *data, size_t length, int flags, uint8_t *address, void *size)",
);
const pollSockets = libc.func("int poll(uint8_t *sockets, uint64_t count, int timeout)");
const nameToIndex = libc.func("uint32_t if_nametoindex(const char *name)");
const closeSocket = libc.func("int close(int fd)");

export const family = { inet: 2, packet: 17 } as const;
export const kind = { datagram: 2, raw: 3 } as const;
const closeOnExec = 0x80000;
const nonBlocking = 0x800;
const dontWait = 0x40;
const pollIn = 1;

export interface RawSocket {
  readonly fd: number;
  send(data: Uint8Array, address: Uint8Array): boolean;
  /** One datagram into the buffer, or undefined when none has arrived. */
  receive(): Buffer | undefined;
  close(): void;
}

/** `protocol` as socket(2) wants it: network byte order for packet sockets. */
export function openRawSocket(domain: number, type: number, protocol: number, local?: Uint8Array): RawSocket {
  const fd = Number(socketOf(domain, type | closeOnExec | nonBlocking, protocol));
  if (fd < 0)
    throw new Error(`socket(${domain}, ${type}, ${protocol}) was refused: root of the namespace only`);
  if (local !== undefined && Number(bindSocket(fd, local, local.length)) < 0) {
    closeSocket(fd);
    throw new Error("bind(2) was refused");
  }
  const buffer = Buffer.alloc(2048);
  return {
    fd,
    send: (data, address) => Number(sendFrame(fd, data, data.length, dontWait, address, address.length)) >= 0,
    receive: () => {
      const length = Number(receiveFrame(fd, buffer, buffer.length, dontWait, null, null));
      return length < 0 ? undefined : buffer.subarray(0, length);
    },
    close: () => void closeSocket(fd),
  };
}

/** Waits until one of the sockets has something to read, at most so many whole milliseconds. */
export function makePoller(sockets: readonly RawSocket[]): (timeoutMs: number) => void {
  const entries = Buffer.alloc(8 * sockets.length);
  sockets.forEach(({ fd }, index) => {
    entries.writeInt32LE(fd, 8 * index);
    entries.writeInt16LE(pollIn, 8 * index + 4);
  });
  return (timeoutMs) => void pollSockets(entries, sockets.length, timeoutMs);
}

export function interfaceIndex(name: string): number {
  const index = Number(nameToIndex(name));
  if (index === 0) throw new Error(`there is no interface ${name}`);
  return index;
}

/** struct sockaddr_ll for ARP on an interface, to everybody. */
export function arpAddress(index: number): Buffer {
  const address = Buffer.alloc(20);
  address.writeUInt16LE(family.packet, 0);
  address.writeUInt16BE(0x0806, 2);
  address.writeInt32LE(index, 4);
  address.writeUInt8(6, 11);
  address.fill(0xff, 12, 18);
  return address;
}

/** struct sockaddr_in. */
export function inetAddress(address: string, port = 0): Buffer {
  const bytes = Buffer.alloc(16);
  bytes.writeUInt16LE(family.inet, 0);
  bytes.writeUInt16BE(port, 2);
  address.split(".").forEach((part, index) => {
    bytes.writeUInt8(Number(part), 4 + index);
  });
  return bytes;
}

export function monotonicMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}
