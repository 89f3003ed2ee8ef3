/**
 * What is known about the machines on one segment: which MACs are the peer's, who is a neighbour worth asking for a sign
 * of life. Learns from what is heard and judges who answered; sends nothing itself.
 */

import { addressKey, ipBytes } from "./bytes.js";
import type { Heard } from "./heard.js";

export type Judgement =
  | {
      readonly kind: "addressAnswered";
      readonly address: string;
      readonly from: "peer" | "stranger" | "unknown";
    }
  | { readonly kind: "neighbourHeard" }
  | { readonly kind: "nothing" };

export interface SegmentView {
  judge(heard: Heard, nowMs: number): Judgement;
  /** What the kernel knew before us: makes the peer known without any frame of its own. */
  learn(address: string, mac: string, nowMs: number): void;
  /** Addresses of the machines heard last, newest first. */
  neighbours(nowMs: number): readonly Uint8Array[];
  readonly peerMacs: ReadonlySet<string>;
}

export interface SegmentOptions {
  readonly haAddresses: readonly string[];
  readonly peerAddresses: readonly string[];
  /** Of every interface of this machine: another card of ours on the same segment is no stranger. */
  readonly ownMacs: () => ReadonlySet<string>;
}

const rememberedNeighbours = 16;
const askedNeighbours = 4;
const forgetNeighbourMs = 600_000;
/** A peer has few cards; a segment on which somebody claims its address with ever new ones must not fill us up. */
const rememberedPeerMacs = 8;

export function makeSegmentView({ haAddresses, peerAddresses, ownMacs }: SegmentOptions): SegmentView {
  const ha = new Map(haAddresses.map((address) => [addressKey(ipBytes(address)), address]));
  const peer = new Set(peerAddresses.map((address) => addressKey(ipBytes(address))));
  const peerMacs = new Set<string>();
  /** Insertion order is order of last hearing. */
  const neighbours = new Map<string, { readonly mac: string; readonly atMs: number }>();

  function notePeer(mac: string): void {
    peerMacs.delete(mac);
    peerMacs.add(mac);
    for (const oldest of [...peerMacs].slice(0, -rememberedPeerMacs)) peerMacs.delete(oldest);
  }

  function noteNeighbour(key: string, mac: string, atMs: number): void {
    neighbours.delete(key);
    neighbours.set(key, { mac, atMs });
    const oldest = neighbours.keys().next().value;
    if (neighbours.size > rememberedNeighbours && oldest !== undefined) neighbours.delete(oldest);
  }

  function whose(mac: string): "peer" | "stranger" | "unknown" {
    if (peerMacs.has(mac)) return "peer";
    // Who never heard the peer here cannot know that this is not it.
    return peerMacs.size > 0 ? "stranger" : "unknown";
  }

  return {
    judge({ key, mac, toUs }, nowMs) {
      if (ownMacs().has(mac)) return { kind: "nothing" };
      const address = ha.get(key);
      if (address !== undefined) return { kind: "addressAnswered", address, from: whose(mac) };
      if (peer.has(key)) {
        notePeer(mac);
        return { kind: "nothing" };
      }
      if (peerMacs.has(mac)) return { kind: "nothing" };
      noteNeighbour(key, mac, nowMs);
      // Hearing others talk proves half a link; an answer to us proves both directions.
      return toUs ? { kind: "neighbourHeard" } : { kind: "nothing" };
    },
    learn(address, mac, nowMs) {
      const key = addressKey(ipBytes(address));
      if (ownMacs().has(mac) || ha.has(key)) return;
      if (peer.has(key)) notePeer(mac);
      else if (!peerMacs.has(mac)) noteNeighbour(key, mac, nowMs);
    },
    neighbours(nowMs) {
      return [...neighbours]
        .reverse()
        .filter(([, { mac, atMs }]) => nowMs - atMs < forgetNeighbourMs && !peerMacs.has(mac))
        .slice(0, askedNeighbours)
        .map(([key]) => Buffer.from(key, "hex"));
    },
    peerMacs,
  };
}
