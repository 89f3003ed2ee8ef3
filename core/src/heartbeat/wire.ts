/**
 * The bytes of a beat: 96, at fixed places, because the kernel matches some of them (rule R5). Everything is covered by
 * a MAC of one of the shared keys; what does not authenticate is told apart but never believed (rule R29).
 *
 * | bytes | what |
 * |---|---|
 * | 0-3 | "USB1" |
 * | 4 | version, 1 |
 * | 5 | flags: 0 the sender is the secondary, 1 verified, 2 in sync, 3 goodbye, 4 has an echo, 5 has a claim token, 6 asks, 7 answers |
 * | 6 | role, its place in `roles` |
 * | 7 | health: 0 client link, 1 node, 2 services, 3 store; 4 unwell, with a goodbye |
 * | 8-15 | epoch |
 * | 16-31 | claim token, zeros when there is none |
 * | 32-39 | nonce |
 * | 40-47 | sequence |
 * | 48-51 | cluster: the first bytes of SHA-256 of its name |
 * | 52-55 | config digest |
 * | 56-59 | preference: version |
 * | 60 | preference: 0 none, 1 primary, 2 secondary |
 * | 61 | id of the key that signs |
 * | 62-63 | heard on: bit n for path n of the config; bit 15 says that the sender tells at all |
 * | 64-71 | echo: nonce |
 * | 72-79 | echo: sequence |
 * | 80-95 | HMAC-SHA256 of bytes 0-79, its first 16 bytes |
 *
 * Numbers are unsigned and big-endian.
 */

import { createHash, timingSafeEqual } from "node:crypto";
import { mostEpoch } from "../failover/epochs.js";
import { deriveKey } from "../keys/derive.js";
import type { KeyRing } from "../keys/key-file.js";
import type { Side } from "../plugin/contract.js";
import { type Beat, type Health, roles } from "./beat.js";
import { createMac, type Mac } from "./mac.js";

export const beatBytes = 96;
export const wireVersion = 1;
/** Where the kernel looks for epoch and token of a claim frame. */
export const epochOffset = 8;
export const claimTokenOffset = 16;

const magic = Buffer.from("USB1");
const heardOnOffset = 62;
const heardOnTold = 0x8000;
const heardOnPaths = 0x7fff;
const macOffset = 80;
const macBytes = 16;

const flag = {
  secondary: 1,
  verified: 2,
  inSync: 4,
  goodbye: 8,
  echo: 16,
  claimToken: 32,
  asks: 64,
  answers: 128,
} as const;
const healthBit = { clientLink: 1, node: 2, services: 4, store: 8 } as const;
const unwellBit = 16;
const sides: readonly (Side | undefined)[] = [undefined, "primary", "secondary"];

/** A key ring made ready for beats of one cluster. */
export interface BeatKeys {
  readonly clusterHash: number;
  readonly signWith: number;
  /** By the id of the key. */
  readonly macs: ReadonlyMap<number, Mac>;
}

export function beatKeys(cluster: string, ring: KeyRing): BeatKeys {
  return {
    clusterHash: createHash("sha256").update(cluster).digest().readUInt32BE(0),
    signWith: ring.signWith,
    macs: new Map(ring.keys.map((key) => [key.id, createMac(deriveKey(key.secret, "beat"), macOffset)])),
  };
}

export type DecodedBeat =
  | { readonly kind: "beat"; readonly beat: Beat; readonly keyId: number }
  /** Well formed, of our cluster, and not signed by any key of ours (rule R29). */
  | { readonly kind: "foreign"; readonly reason: string; readonly keyId: number }
  /** A beat of another version of the protocol; nothing else in it was looked at. */
  | { readonly kind: "other-version"; readonly reason: string; readonly version: number }
  | { readonly kind: "other-cluster"; readonly reason: string }
  | { readonly kind: "garbage"; readonly reason: string };

export function encodeBeat(beat: Beat, keys: BeatKeys): Uint8Array {
  const mac = keys.macs.get(keys.signWith);
  if (mac === undefined) throw new Error(`no key ${keys.signWith} to sign with`);
  // Zeros are what absent parts and the reserved bytes hold.
  const bytes = Buffer.alloc(beatBytes);
  magic.copy(bytes);
  bytes[4] = wireVersion;
  bytes[5] = flagsOf(beat);
  bytes[6] = roles.indexOf(beat.role);
  bytes[7] = healthBits(beat.health) | (beat.unwell ? unwellBit : 0);
  writeU64(bytes, beat.epoch, epochOffset);
  if (beat.claimToken !== undefined) bytes.write(beat.claimToken, claimTokenOffset, 16, "hex");
  bytes.write(beat.nonce, 32, 8, "hex");
  writeU64(bytes, beat.sequence, 40);
  bytes.writeUInt32BE(keys.clusterHash, 48);
  bytes.writeUInt32BE(Number.parseInt(beat.configDigest, 16) >>> 0, 52);
  bytes.writeUInt32BE(beat.preference.version >>> 0, 56);
  bytes[60] = sides.indexOf(beat.preference.side);
  bytes[61] = keys.signWith;
  if (beat.heardOn !== undefined)
    bytes.writeUInt16BE((beat.heardOn & heardOnPaths) | heardOnTold, heardOnOffset);
  if (beat.echo !== undefined) {
    bytes.write(beat.echo.nonce, 64, 8, "hex");
    writeU64(bytes, beat.echo.sequence, 72);
  }
  mac.digest(bytes.subarray(0, macOffset)).copy(bytes, macOffset, 0, macBytes);
  return bytes;
}

/** Total: any bytes give an answer, and only what a key of the ring has signed gives a beat. */
export function decodeBeat(frame: Uint8Array, keys: BeatKeys): DecodedBeat {
  const bytes = Buffer.from(frame.buffer, frame.byteOffset, frame.byteLength);
  if (bytes.length < 5 || bytes.compare(magic, 0, 4, 0, 4) !== 0) return garbage("no beat of Understudy");
  const version = bytes[4] ?? 0;
  if (version !== wireVersion) return otherVersion(version);
  if (bytes.length !== beatBytes) return garbage(`${bytes.length} bytes long instead of ${beatBytes}`);
  if (bytes.readUInt32BE(48) !== keys.clusterHash)
    return { kind: "other-cluster", reason: "a beat of another cluster" };
  const beat = readBeat(bytes);
  if (typeof beat === "string") return garbage(beat);
  const keyId = bytes[61] ?? 0;
  const mac = keys.macs.get(keyId);
  if (mac === undefined) return { kind: "foreign", reason: `signed with key ${keyId}, which we lack`, keyId };
  const wanted = mac.digest(bytes.subarray(0, macOffset)).subarray(0, macBytes);
  if (!timingSafeEqual(wanted, bytes.subarray(macOffset, macOffset + macBytes)))
    return { kind: "foreign", reason: `says key ${keyId} but was not signed with ours`, keyId };
  return { kind: "beat", beat, keyId };
}

function garbage(reason: string): DecodedBeat {
  return { kind: "garbage", reason };
}

function otherVersion(version: number): DecodedBeat {
  const which = version > wireVersion ? "newer" : "older";
  return {
    kind: "other-version",
    version,
    reason: `the other node speaks version ${version} of the heartbeat, ${which} than ours, ${wireVersion}`,
  };
}

function flagsOf(beat: Beat): number {
  return (
    (beat.sender === "secondary" ? flag.secondary : 0) |
    (beat.verified ? flag.verified : 0) |
    (beat.inSync ? flag.inSync : 0) |
    (beat.goodbye ? flag.goodbye : 0) |
    (beat.echo !== undefined ? flag.echo : 0) |
    (beat.claimToken !== undefined ? flag.claimToken : 0) |
    (beat.asks ? flag.asks : 0) |
    (beat.answers ? flag.answers : 0)
  );
}

function healthBits(health: Health): number {
  return (
    (health.clientLink ? healthBit.clientLink : 0) |
    (health.node ? healthBit.node : 0) |
    (health.services ? healthBit.services : 0) |
    (health.store ? healthBit.store : 0)
  );
}

/** The beat, or what is wrong with the bytes. Bits and bytes that this version does not know are ignored. */
function readBeat(bytes: Buffer): Beat | string {
  const flags = bytes[5] ?? 0;
  const health = bytes[7] ?? 0;
  const role = roles[bytes[6] ?? 255];
  if (role === undefined) return `role ${bytes[6]} is none`;
  const side = bytes[60] ?? 255;
  if (side >= sides.length) return `side ${side} is none`;
  const epoch = readU64(bytes, epochOffset);
  const sequence = readU64(bytes, 40);
  const echoed = readU64(bytes, 72);
  const told = bytes.readUInt16BE(heardOnOffset);
  if (epoch === undefined || sequence === undefined || echoed === undefined) return "a number beyond 2^53";
  if (epoch > mostEpoch) return `epoch ${epoch} is beyond any that a pair reaches`;
  return {
    sender: (flags & flag.secondary) !== 0 ? "secondary" : "primary",
    nonce: bytes.toString("hex", 32, 40),
    sequence,
    epoch,
    role,
    health: {
      clientLink: (health & healthBit.clientLink) !== 0,
      node: (health & healthBit.node) !== 0,
      services: (health & healthBit.services) !== 0,
      store: (health & healthBit.store) !== 0,
    },
    verified: (flags & flag.verified) !== 0,
    inSync: (flags & flag.inSync) !== 0,
    goodbye: (flags & flag.goodbye) !== 0,
    unwell: (health & unwellBit) !== 0,
    preference: { side: sides[side], version: bytes.readUInt32BE(56) },
    configDigest: bytes.toString("hex", 52, 56),
    asks: (flags & flag.asks) !== 0,
    answers: (flags & flag.answers) !== 0,
    heardOn: (told & heardOnTold) === 0 ? undefined : told & heardOnPaths,
    echo: (flags & flag.echo) === 0 ? undefined : { nonce: bytes.toString("hex", 64, 72), sequence: echoed },
    claimToken:
      (flags & flag.claimToken) === 0
        ? undefined
        : bytes.toString("hex", claimTokenOffset, claimTokenOffset + 16),
  };
}

function writeU64(bytes: Buffer, value: number, offset: number): void {
  bytes.writeUInt32BE(Math.floor(value / 2 ** 32), offset);
  bytes.writeUInt32BE(value % 2 ** 32, offset + 4);
}

/** Undefined beyond what a number holds exactly. */
function readU64(bytes: Buffer, offset: number): number | undefined {
  const value = bytes.readUInt32BE(offset) * 2 ** 32 + bytes.readUInt32BE(offset + 4);
  return Number.isSafeInteger(value) ? value : undefined;
}
