/**
 * The capabilities a plugin may ask for. A plugin names what it `needs`; the host resolves each from a child container
 * made for that plugin alone and passes plain values, never the container.
 */

import type { SessionApi } from "../node/session-api.js";
import type { Side } from "./contract.js";
import type { StatusReader } from "./status-view.js";

/** A typed key of the container. Only the host turns it into a tsyringe token. */
export interface Capability<T> {
  readonly key: symbol;
  readonly name: string;
  /** Never present; carries the type. */
  readonly type?: T;
}

function capability<T>(name: string): Capability<T> {
  return { key: Symbol.for(`understudy:${name}`), name };
}

/** Structured, non-blocking, secrets redacted. The message is constant, data goes in fields. */
export interface Log {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

export interface Clock {
  /** Monotonic milliseconds with a fraction (CLOCK_MONOTONIC), the same in both processes of a node. */
  nowMs(): number;
}

export interface NodeIdentity {
  readonly cluster: string;
  readonly name: string;
  readonly side: Side;
  readonly peerName: string;
  /** Node addresses, not the HA addresses. The first is the one the default client path uses. */
  readonly addresses: readonly string[];
  readonly peerAddresses: readonly string[];
  readonly haAddresses: readonly HaAddress[];
  /** UDP and multicast refresh port, default 6940. */
  readonly heartbeatPort: number;
  /** How long the kernel lets this node answer after its last refresh, milliseconds (rule R3). */
  readonly leaseMs: number;
}

export interface HaAddress {
  /** Without prefix, canonical text. */
  readonly address: string;
  readonly family: 4 | 6;
  readonly prefixLength: number;
  /** The interface it belongs on; undefined: the one whose network contains it. */
  readonly interfaceName: string | undefined;
}

/** For transports: which path of the config this instance is. */
export interface PathIdentity {
  readonly name: string;
  readonly class: "client" | "private" | "out-of-band";
}

/** Where files of this node live, absolute; made before any plugin starts. */
export interface Folders {
  /** Survives reboots, default /var/lib/understudy. */
  readonly state: string;
  /** Gone at reboot, default /run/understudy. */
  readonly run: string;
}

/** The bearer tokens that the operator gave out (`understudy token create`), the same on both nodes. */
export interface TokenVerifier {
  /** Undefined when it is unknown or revoked. Takes the same time for every wrong token. */
  verify(
    token: string,
  ): { readonly id: string; readonly name: string; readonly scope: "read" | "write" } | undefined;
}

export const capabilities = {
  log: capability<Log>("log"),
  clock: capability<Clock>("clock"),
  node: capability<NodeIdentity>("node"),
  path: capability<PathIdentity>("path"),
  folders: capability<Folders>("folders"),
  /** Services only; absent (an error at load) when the config has `sessions: none`. */
  sessions: capability<SessionApi>("sessions"),
  /** Services only. */
  tokens: capability<TokenVerifier>("tokens"),
  /** In node only: how this node is, for monitoring. Nothing may be decided by it. */
  status: capability<StatusReader>("status"),
} as const;

export { capability };
