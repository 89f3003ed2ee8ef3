/**
 * Notes when each datagram of one sender to some ports arrives on an interface, by the kernel's own time stamp, so that it
 * matters little how late this process is woken. Runs in the receiver's namespace.
 *
 * Usage: beat-watch-process.js DEVICE SOURCE PORT... Writes `ready`, and when standard input ends the arrivals by port as one
 * line of JSON: milliseconds, of the wall clock's kind, good for differences alone. A line read begins anew.
 */

import koffi from "koffi";
import { arpAddress, family, interfaceIndex, kind, makePoller, openRawSocket } from "./packet-socket.js";

const [device = "", source = "", ...ports] = process.argv.slice(2);
const senderBytes = Buffer.from(source.split(".").map(Number));

const ioctl = koffi.load(null).func("int ioctl(int fd, unsigned long request, void *argument)");
/** Linux, asm-generic/sockios.h: the time stamp of the packet that was read last, as seconds and nanoseconds. */
const SIOCGSTAMPNS = 0x8907;
const ipv4 = 0x0800;
const address = arpAddress(interfaceIndex(device));
address.writeUInt16BE(ipv4, 2);
/** In network byte order, as packet(7) wants it. */
const socket = openRawSocket(family.packet, kind.raw, 0x0008, address);
const poll = makePoller([socket]);
const stamp = Buffer.alloc(16);
const readStamp = () => Number(ioctl(socket.fd, SIOCGSTAMPNS, stamp));
// Time stamps are made from the first question on, and there is nothing to tell yet.
readStamp();

const arrivals = new Map<number, number[]>(ports.map((port) => [Number(port), []]));

/** The port that a datagram of the sender is for: Ethernet, IPv4 without options, UDP. */
function portOf(frame: Buffer): number | undefined {
  const isUdp = frame.length >= 42 && frame[14] === 0x45 && frame[23] === 17;
  return isUdp && frame.subarray(26, 30).equals(senderBytes) ? frame.readUInt16BE(36) : undefined;
}

function readAll(): void {
  for (let frame = socket.receive(); frame !== undefined; frame = socket.receive()) {
    const times = arrivals.get(portOf(frame) ?? -1);
    if (times === undefined) continue;
    if (readStamp() !== 0) throw new Error("the kernel gives no time stamp");
    times.push(Number(stamp.readBigInt64LE(0)) * 1000 + Number(stamp.readBigInt64LE(8)) / 1e6);
  }
}

function watch(): void {
  poll(5);
  readAll();
  setImmediate(watch);
}

process.stdin.on("data", () => {
  for (const port of arrivals.keys()) arrivals.set(port, []);
});
process.stdin.once("end", () => {
  process.stdout.write(`${JSON.stringify(Object.fromEntries(arrivals))}\n`, () => process.exit());
});
console.log("ready");
watch();
