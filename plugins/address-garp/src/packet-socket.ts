/**
 * A packet socket on one Ethernet interface, by way of the C library: sends frames of our own and hears ARP and
 * neighbour discovery, filtered in the kernel so that no other traffic is ever copied. Every call returns at once.
 */

import koffi from "koffi";

export interface PacketSocket {
  /** Of the interface now; it may change, for instance on a bond. */
  mac(): Uint8Array;
  /** False when the interface does not take it. */
  send(frame: Uint8Array): boolean;
  /** The next frame that has arrived; valid until the next call. `gone`: the interface is no more. */
  receive(): Buffer | "nothing" | "gone";
  close(): void;
}

const AF_PACKET = 17;
const SOCK_RAW = 3;
const SOCK_NONBLOCK = 0o4000;
const SOCK_CLOEXEC = 0o2000000;
const SOL_SOCKET = 1;
const SO_ATTACH_FILTER = 26;
const SOL_PACKET = 263;
const PACKET_IGNORE_OUTGOING = 23;
const ARPHRD_ETHER = 1;
/**
 * A socket for ARP alone sits behind the ingress hook of nftables, where the kernel lease may have dropped what we want
 * to hear; one for all protocols sits before it.
 */
const ETH_P_ALL = 0x0003;

const littleEndian = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;
const filterProgram = koffi.struct({ length: "uint16", instructions: "void *" });

function bindLibrary() {
  const libc = koffi.load(null);
  return {
    socket: libc.func("int socket(int, int, int)"),
    bind: libc.func("int bind(int, const void *, int)"),
    getsockname: libc.func("int getsockname(int, void *, void *)"),
    setsockopt: libc.func("int setsockopt(int, int, int, const void *, int)"),
    attach: libc.func("setsockopt", "int", ["int", "int", "int", koffi.pointer(filterProgram), "int"]),
    sendto: libc.func("long sendto(int, const void *, size_t, int, const void *, int)"),
    recv: libc.func("long recv(int, void *, size_t, int)"),
    close: libc.func("int close(int)"),
    nameToIndex: libc.func("unsigned int if_nametoindex(const char *)"),
  };
}

let library: ReturnType<typeof bindLibrary> | undefined;

/** Classic BPF: load, compare and jump; each instruction is operation, jump if true, jump if false, operand. */
const load16 = 0x28;
const load8 = 0x30;
const jumpIfEqual = 0x15;
const accept = 0x06;
const program: readonly (readonly [number, number, number, number])[] = [
  [load16, 0, 0, 12],
  [jumpIfEqual, 6, 0, 0x0806],
  [jumpIfEqual, 0, 6, 0x86dd],
  [load8, 0, 0, 20],
  [jumpIfEqual, 0, 4, 58],
  [load8, 0, 0, 54],
  [jumpIfEqual, 1, 0, 135],
  [jumpIfEqual, 0, 1, 136],
  [accept, 0, 0, 256],
  [accept, 0, 0, 0],
];

function filterBytes(): Buffer {
  const bytes = Buffer.alloc(program.length * 8);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (const [at, [operation, ifTrue, ifFalse, operand]] of program.entries()) {
    view.setUint16(at * 8, operation, littleEndian);
    view.setUint8(at * 8 + 2, ifTrue);
    view.setUint8(at * 8 + 3, ifFalse);
    view.setUint32(at * 8 + 4, operand, littleEndian);
  }
  return bytes;
}

function linkLayerAddress(index: number): Buffer {
  const bytes = Buffer.alloc(20);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  view.setUint16(0, AF_PACKET, littleEndian);
  view.setUint16(2, ETH_P_ALL);
  view.setInt32(4, index, littleEndian);
  return bytes;
}

/** Throws when the interface is no Ethernet, or when the C library or a permission is missing. */
export function openPacketSocket(interfaceName: string): PacketSocket {
  library ??= bindLibrary();
  const { socket, bind, getsockname, setsockopt, attach, sendto, recv, close, nameToIndex } = library;
  const check = (result: number, what: string) => {
    if (result >= 0) return;
    const code = koffi.errno();
    if (descriptor >= 0) close(descriptor);
    throw new Error(`${what}: ${nameOf(code)}`);
  };
  const index: number = nameToIndex(interfaceName);
  if (index === 0) throw new Error(`there is no interface ${interfaceName}`);
  // Protocol 0 hears nothing, so no frame slips in before the filter is there.
  const descriptor: number = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  check(descriptor, "packet socket");
  const instructions = filterBytes();
  check(
    attach(descriptor, SOL_SOCKET, SO_ATTACH_FILTER, { length: program.length, instructions }, 16),
    "filter",
  );
  const one = Buffer.from(Int32Array.of(1).buffer);
  // Older kernels than 4.20 do not know it: our own frames are then told by their MAC.
  setsockopt(descriptor, SOL_PACKET, PACKET_IGNORE_OUTGOING, one, one.length);
  const target = linkLayerAddress(index);
  check(bind(descriptor, target, target.length), `bind to ${interfaceName}`);

  const name = Buffer.alloc(20);
  const nameLength = Buffer.alloc(4);
  const readName = () => {
    new DataView(nameLength.buffer, nameLength.byteOffset).setUint32(0, name.length, littleEndian);
    return getsockname(descriptor, name, nameLength) as number;
  };
  check(readName(), "getsockname");
  const hardware = new DataView(name.buffer, name.byteOffset).getUint16(8, littleEndian);
  if (hardware !== ARPHRD_ETHER) {
    close(descriptor);
    throw new Error(`${interfaceName} is no Ethernet`);
  }
  const received = Buffer.alloc(256);
  return {
    mac() {
      readName();
      return Uint8Array.from(name.subarray(12, 18));
    },
    send(frame) {
      return Number(sendto(descriptor, frame, frame.length, 0, target, target.length)) >= 0;
    },
    receive() {
      const length = Number(recv(descriptor, received, received.length, 0));
      if (length >= 0) return received.subarray(0, length);
      const code = koffi.errno();
      return code === koffi.os.errno.EAGAIN || code === koffi.os.errno.EINTR ? "nothing" : "gone";
    },
    close() {
      close(descriptor);
    },
  };
}

function nameOf(code: number): string {
  const found = Object.entries(koffi.os.errno).find(([, value]) => value === code);
  return found?.[0] ?? `error ${code}`;
}
