/**
 * The thread of the probing client that asks every millisecond below HTTP: who has the HA address (ARP), does it answer
 * a ping (ICMP), does its service answer a datagram (UDP echo). It only asks and notes; nothing is judged here.
 */

import { readFileSync } from "node:fs";
import { parentPort, workerData } from "node:worker_threads";
import {
  arpAddress,
  family,
  inetAddress,
  interfaceIndex,
  kind,
  makePoller,
  monotonicMs,
  openRawSocket,
} from "./packet-socket.js";
import { countOf, type Sample } from "./probe.js";

interface Order {
  readonly address: string;
  readonly own: string;
  readonly device: string;
  readonly echoPort: number;
  /** One Int32: not zero means stop, after `lastRounds` more. */
  readonly stop: SharedArrayBuffer;
  /** Int32s, only ever counted up: rounds in which everything that had arrived was read, and answers at each level. */
  readonly counts: SharedArrayBuffer;
}

const order = workerData as Order;
const stop = new Int32Array(order.stop);
const counts = new Int32Array(order.counts);
const identifier = process.pid & 0xffff;
/** Who answers at the end is who was asked then: a client that a busy machine kept waiting has not asked for a while. */
const lastRounds = 20;

const arp = openRawSocket(family.packet, kind.raw, 0x0608, arpAddress(interfaceIndex(order.device)));
const icmp = openRawSocket(family.inet, kind.raw, 1);
const udp = openRawSocket(family.inet, kind.datagram, 0, inetAddress(order.own));
const poll = makePoller([arp, icmp, udp]);

const everybody = arpAddress(interfaceIndex(order.device));
const pingTarget = inetAddress(order.address);
const echoTarget = inetAddress(order.address, order.echoPort);
const question = whoHas();
const samples: Sample[] = [];

function note(sample: Sample & { readonly level: "arp" | "icmp" | "udp" }): void {
  samples.push(sample);
  Atomics.add(counts, countOf.indexOf(sample.level), 1);
}

function ownMac(): Buffer {
  const text = readFileSync(`/sys/class/net/${order.device}/address`, "utf8").trim();
  return Buffer.from(text.replaceAll(":", ""), "hex");
}

function ipBytes(address: string): Buffer {
  return Buffer.from(address.split(".").map(Number));
}

/** An ARP request (RFC 826) from our own address to everybody. */
function whoHas(): Buffer {
  const mac = ownMac();
  const header = Buffer.concat([Buffer.alloc(6, 0xff), mac, Buffer.from([0x08, 0x06])]);
  const body = Buffer.from([0, 1, 8, 0, 6, 4, 0, 1]);
  return Buffer.concat([header, body, mac, ipBytes(order.own), Buffer.alloc(6), ipBytes(order.address)]);
}

/** An ICMP echo request (RFC 792) that carries its number. */
function ping(sequence: number): Buffer {
  const packet = Buffer.alloc(12);
  packet.writeUInt8(8, 0);
  packet.writeUInt16BE(identifier, 4);
  packet.writeUInt16BE(sequence & 0xffff, 6);
  packet.writeUInt32BE(sequence, 8);
  let sum = 0;
  for (let at = 0; at < packet.length; at += 2) sum += packet.readUInt16BE(at);
  sum = (sum & 0xffff) + (sum >>> 16);
  packet.writeUInt16BE(~(sum + (sum >>> 16)) & 0xffff, 2);
  return packet;
}

function drain(): void {
  const atMs = monotonicMs();
  Atomics.add(counts, countOf.indexOf("reads"), 1);
  const wanted = ipBytes(order.address);
  for (let frame = arp.receive(); frame !== undefined; frame = arp.receive()) {
    const reply = frame.length >= 42 && frame.readUInt16BE(20) === 2;
    if (reply && frame.subarray(28, 32).equals(wanted)) {
      note({ level: "arp", atMs, from: frame.subarray(22, 28).toString("hex") });
    }
  }
  for (let packet = icmp.receive(); packet !== undefined; packet = icmp.receive()) {
    const at = ((packet[0] ?? 0) & 15) * 4;
    if (packet.length >= at + 12 && packet[at] === 0 && packet.readUInt16BE(at + 4) === identifier) {
      note({ level: "icmp", atMs, from: "" });
    }
  }
  for (let data = udp.receive(); data !== undefined; data = udp.receive()) {
    note({ level: "udp", atMs, from: data.toString("utf8", 4) });
  }
}

function run(): void {
  let sequence = 0;
  let nextMs = monotonicMs();
  let roundsLeft = lastRounds;
  while (roundsLeft > 0) {
    const nowMs = monotonicMs();
    if (nowMs >= nextMs) {
      if (Atomics.load(stop, 0) !== 0) roundsLeft -= 1;
      sequence += 1;
      arp.send(question, everybody);
      icmp.send(ping(sequence), pingTarget);
      const datagram = Buffer.alloc(4);
      datagram.writeUInt32BE(sequence, 0);
      udp.send(datagram, echoTarget);
      // A late round is not made up for: the client would otherwise flood after every stall.
      nextMs = Math.max(nextMs + 1, nowMs + 0.5);
    }
    poll(1);
    drain();
  }
  drain();
  for (const socket of [arp, icmp, udp]) socket.close();
  parentPort?.postMessage(samples);
}

parentPort?.postMessage("ready");
run();
