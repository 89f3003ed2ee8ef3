/**
 * One interface with HA addresses: its packet socket, its view of the segment, what is announced and asked there. Comes
 * back by itself when the interface was taken away and made anew.
 */

import type { AddressReports, Clock, Log, NodeIdentity } from "@understudy/core/public";
import { makeAgreement, type Verdict } from "./agreement.js";
import { addressKey, ipBytes, macText, networkContains } from "./bytes.js";
import { announcements, question } from "./frames.js";
import { readFrame } from "./heard.js";
import { gateways, knownNeighbours, ownAddresses } from "./machine.js";
import { openPacketSocket, type PacketSocket } from "./packet-socket.js";
import { makeSegmentView, type SegmentView } from "./segment-view.js";

export interface Port {
  readonly interfaceName: string;
  /** `asking`: also asks the neighbours from the HA addresses, which only their holder may. */
  announce(asking: boolean): void;
  /** The addresses have just come to this machine. */
  taken(): void;
  verdict(): Verdict;
  probeAddresses(): void;
  probeNeighbours(): void;
  /** Whether anything had arrived. */
  drain(reports: AddressReports): boolean;
  describe(): string;
  close(): void;
}

export interface PortOptions {
  readonly interfaceName: string;
  readonly haAddresses: readonly string[];
  readonly refreshMs: number;
  readonly node: NodeIdentity;
  readonly clock: Clock;
  readonly log: Log;
}

/** A storm of ARP must not hold up the beats: the rest waits in the socket for the next drain. */
const mostFramesADrain = 64;
const refreshOwnMs = 1000;
const reopenMs = 500;

interface Own {
  readonly sources: readonly { readonly address: string; readonly cidr: string }[];
  readonly macs: ReadonlySet<string>;
  readonly gateways: readonly Uint8Array[];
  /** Gateways and the peer, as keys. */
  readonly wanted: ReadonlySet<string>;
  readonly atMs: number;
}

/** Known neighbours are asked every second; one that missed an answer is still there. */
const answeredFreshMs = 3000;

/** Throws when no packet socket can be opened. */
export function openPort({ interfaceName, haAddresses, refreshMs, node, clock, log }: PortOptions): Port {
  const ha = haAddresses.map((address) => {
    const bytes = ipBytes(address);
    return { address, bytes, key: addressKey(bytes) };
  });
  const agreement = makeAgreement(haAddresses, refreshMs);
  let socket: PacketSocket | undefined = openPacketSocket(interfaceName);
  let away = false;
  let neighbourMs = Number.NEGATIVE_INFINITY;
  let triedMs = clock.nowMs();
  let own = readOwn();
  const view: SegmentView = makeSegmentView({
    haAddresses: node.haAddresses.map(({ address }) => address),
    peerAddresses: node.peerAddresses,
    ownMacs: () => own.macs,
  });
  for (const { address, mac } of knownNeighbours(interfaceName)) view.learn(address, mac, clock.nowMs());

  function readOwn(): Own {
    const all = ownAddresses();
    const notHa = new Set(node.haAddresses.map(({ address }) => address));
    const here = all.filter((one) => one.interfaceName === interfaceName && !notHa.has(one.address));
    const near = gateways(interfaceName).map(ipBytes);
    const first = (address: string) => (node.addresses.includes(address) ? 0 : 1);
    return {
      sources: here.toSorted((a, b) => first(a.address) - first(b.address)),
      macs: new Set([...all.map(({ mac }) => mac), ...(socket ? [macText(socket.mac())] : [])]),
      gateways: near,
      wanted: new Set([...near, ...node.peerAddresses.map(ipBytes)].map(addressKey)),
      atMs: clock.nowMs(),
    };
  }

  /** Addresses, MACs and gateways change seldom; a second old is young enough, and this costs a fraction of a ms. */
  function fresh(): Own {
    if (clock.nowMs() - own.atMs > refreshOwnMs) own = readOwn();
    return own;
  }

  /** Rule R1: the HA address is never the source, not even of a question about it. */
  function ask(target: Uint8Array, address: string | undefined): void {
    const { sources } = fresh();
    const sameFamily = sources.filter((one) => ipBytes(one.address).length === target.length);
    const inNetwork =
      address === undefined ? undefined : sameFamily.find(({ cidr }) => networkContains(cidr, address));
    const source = (inNetwork ?? sameFamily[0])?.address;
    send((mac) => [question(mac, source === undefined ? target.map(() => 0) : ipBytes(source), target)]);
  }

  function send(frames: (mac: Uint8Array) => readonly Uint8Array[]): void {
    const using = usable();
    if (using === undefined) return;
    for (const frame of frames(using.mac())) using.send(frame);
  }

  function usable(): PacketSocket | undefined {
    if (socket !== undefined || clock.nowMs() - triedMs < reopenMs) return socket;
    triedMs = clock.nowMs();
    try {
      socket = openPacketSocket(interfaceName);
    } catch {
      // Still away: asked again later.
    }
    return socket;
  }

  function lose(): void {
    socket?.close();
    socket = undefined;
    if (!away) log.warn({ interface: interfaceName }, "the interface is gone or down");
    away = true;
  }

  function back(): void {
    if (away) log.info({ interface: interfaceName }, "the interface is back");
    away = false;
  }

  function report(frame: Buffer, mac: string, reports: AddressReports): void {
    const heard = readFrame(frame, mac);
    if (heard === undefined) return;
    const nowMs = clock.nowMs();
    const judged = view.judge(heard, nowMs);
    if (!own.macs.has(heard.mac)) {
      agreement.heard(heard.key, own.wanted.has(heard.key), nowMs);
      if (heard.toUs && heard.asker !== undefined) agreement.answered(heard.asker, heard.key, nowMs);
    }
    if (judged.kind === "neighbourHeard") {
      neighbourMs = nowMs;
      reports.neighbourHeard(interfaceName);
    }
    if (judged.kind !== "addressAnswered") return;
    agreement.doubt(nowMs);
    reports.addressAnswered({ address: judged.address, mac: heard.mac, interfaceName, from: judged.from });
  }

  return {
    interfaceName,
    announce(asking) {
      const nowMs = clock.nowMs();
      send((mac) => ha.flatMap(({ bytes }) => announcements(mac, bytes)));
      if (!asking) return;
      for (const { bytes, key } of ha) {
        const targets = agreement.toAsk(key, nowMs);
        send((mac) => targets.map((target) => question(mac, bytes, target)));
      }
    },
    taken: () => agreement.doubt(clock.nowMs()),
    verdict: () => agreement.judge(clock.nowMs()),
    probeAddresses() {
      // The peer's node addresses first: who answers for them shows which MACs are the peer's.
      const { sources } = fresh();
      const onLink = (address: string) => sources.some(({ cidr }) => networkContains(cidr, address));
      for (const address of node.peerAddresses.filter(onLink)) ask(ipBytes(address), address);
      for (const { address, bytes } of ha) ask(bytes, address);
    },
    probeNeighbours() {
      const targets = [...fresh().gateways, ...view.neighbours(clock.nowMs())];
      for (const target of targets) ask(target, undefined);
    },
    drain(reports) {
      const using = usable();
      if (using === undefined) return false;
      let mac: string | undefined;
      for (let count = 0; count < mostFramesADrain; count += 1) {
        const frame = using.receive();
        if (frame === "gone") {
          lose();
          return count > 0;
        }
        back();
        if (frame === "nothing") return count > 0;
        mac ??= macText(using.mac());
        report(frame, mac, reports);
      }
      return true;
    },
    describe() {
      const peer = [...view.peerMacs].join(", ") || "not heard yet";
      const others =
        clock.nowMs() - neighbourMs < answeredFreshMs ? "neighbours answer" : "no neighbour answers";
      return `${haAddresses.join(", ")} on ${interfaceName}${away ? " (gone or down)" : ""}, peer ${peer}, ${others}`;
    },
    close() {
      socket?.close();
      socket = undefined;
      triedMs = Number.POSITIVE_INFINITY;
    },
  };
}
