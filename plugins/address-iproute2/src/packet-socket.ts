/**
 * A packet socket that only sends, by way of the C library: a system call of some microseconds, with no neighbour to
 * resolve and nothing queued. Node has no such socket of its own.
 */

import koffi from "koffi";

const AF_PACKET = 17;
const SOCK_RAW = 3;
const SOCK_NONBLOCK = 0o4000;
const SOCK_CLOEXEC = 0o2000000;
const ETH_P_IP = 0x0800;

/** What became of a frame: on its way, dropped by a filter or full queue on the way out, or not sent at all. */
export type Sent = "sent" | "swallowed" | "failed";

export interface PacketSender {
  /** Sends one Ethernet frame out of an interface. */
  send(interfaceIndex: number, frame: Uint8Array): Sent;
  close(): void;
}

/** Throws when the C library or the permission (CAP_NET_RAW) is missing. */
export function openPacketSender(): PacketSender {
  const libc = koffi.load(null);
  const socket = libc.func("int socket(int, int, int)");
  const sendto = libc.func("long sendto(int, const void *, size_t, int, const void *, int)");
  const close = libc.func("int close(int)");
  // Protocol 0: it receives nothing.
  const descriptor: number = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (descriptor < 0) throw new Error(`no packet socket: error ${koffi.errno()} (CAP_NET_RAW is needed)`);
  const address = Buffer.alloc(20);
  const view = new DataView(address.buffer, address.byteOffset, address.length);
  const littleEndian = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;
  view.setUint16(0, AF_PACKET, littleEndian);
  view.setUint16(2, ETH_P_IP);
  address[11] = 6;
  const dropped = koffi.os.errno.ENOBUFS;
  return {
    send(interfaceIndex, frame) {
      view.setInt32(4, interfaceIndex, littleEndian);
      if (Number(sendto(descriptor, frame, frame.length, 0, address, address.length)) >= 0) return "sent";
      return koffi.errno() === dropped ? "swallowed" : "failed";
    },
    close() {
      close(descriptor);
    },
  };
}
