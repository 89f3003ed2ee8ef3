/**
 * A connection to a broker before any MQTT is spoken: TCP, and TLS over it where the url says so. Each step that hangs
 * or fails is named by itself.
 */

import { once } from "node:events";
import { connect as connectTcp, isIP, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import type { NodeIdentity } from "@understudy/core/public";
import type { Credentials } from "./credentials.js";
import { failure, refused } from "./reasons.js";

export interface BrokerAddress {
  readonly host: string;
  readonly port: number;
  readonly secure: boolean;
}

export function addressOf(url: string): BrokerAddress {
  const { hostname, port, protocol } = new URL(url);
  const secure = protocol === "mqtts:";
  return {
    host: hostname.replace(/^\[(.*)\]$/, "$1"),
    port: port === "" ? (secure ? 8883 : 1883) : Number(port),
    secure,
  };
}

export interface BrokerSocket {
  /** What MQTT is spoken on. */
  readonly stream: Socket;
  /** Ends it with a reset, so that the kernel forgets what it has not sent yet: late beats are worth nothing. */
  reset(): void;
}

export interface SocketRequest {
  readonly broker: BrokerAddress;
  readonly credentials: Credentials;
  readonly servername: string | undefined;
  readonly node: NodeIdentity;
  readonly signal: AbortSignal;
  /** Which step is under way. */
  step(doing: "connecting" | "securing"): void;
}

/** Rejects with an error that `troubleOf` understands. */
export async function openSocket(request: SocketRequest): Promise<BrokerSocket> {
  const { broker, node, signal } = request;
  request.step("connecting");
  let raw = await connected(broker, undefined, signal);
  // Rule R1: a connection from the HA address would end with it, and hold the path up when it moves.
  if (isHaAddress(node, raw.localAddress)) {
    raw.destroy();
    const own = node.addresses.find(
      (address) => isIP(address) === isIP(broker.host) || isIP(broker.host) === 0,
    );
    raw = await connected(broker, own, signal);
  }
  const atHome = isHaAddress(node, raw.localAddress) || isHaAddress(node, raw.remoteAddress);
  if (atHome) {
    raw.destroy();
    throw failure(refused("the HA address is at one end of the connection, which it may never be"));
  }
  if (!broker.secure) return { stream: raw, reset: () => raw.resetAndDestroy() };
  request.step("securing");
  try {
    return await secured(raw, request);
  } catch (error) {
    raw.destroy();
    throw error;
  }
}

/** Throws also at once, where certificate and key do not fit. */
async function secured(raw: Socket, request: SocketRequest): Promise<BrokerSocket> {
  const { broker, credentials, signal } = request;
  const stream = connectTls({
    socket: raw,
    host: broker.host,
    minVersion: "TLSv1.2",
    ...nameOf(request),
    ...(credentials.ca === undefined ? {} : { ca: credentials.ca }),
    ...(credentials.cert === undefined ? {} : { cert: credentials.cert }),
    ...(credentials.key === undefined ? {} : { key: credentials.key }),
  });
  const reset = () => {
    raw.resetAndDestroy();
    stream.destroy();
  };
  try {
    await once(stream, "secureConnect", { signal });
  } catch (error) {
    stream.on("error", () => undefined);
    reset();
    throw error;
  }
  return { stream, reset };
}

async function connected(
  { host, port }: BrokerAddress,
  localAddress: string | undefined,
  signal: AbortSignal,
): Promise<Socket> {
  // Beats are small: Nagle's algorithm would hold the second of two back until the first is acknowledged.
  const socket = connectTcp({
    host,
    port,
    noDelay: true,
    ...(localAddress === undefined ? {} : { localAddress }),
  });
  try {
    await once(socket, "connect", { signal });
    // Whoever speaks on it notices its end; a late error that nobody hears would end the process.
    socket.on("error", () => undefined);
    return socket;
  } catch (error) {
    socket.on("error", () => undefined);
    socket.destroy();
    throw error;
  }
}

/** An IP address may not be sent as a server name (RFC 6066, 3); the certificate is then checked against the address. */
function nameOf({ servername, broker }: SocketRequest): { readonly servername?: string } {
  const name = servername ?? (isIP(broker.host) === 0 ? broker.host : undefined);
  return name === undefined ? {} : { servername: name };
}

function isHaAddress(node: NodeIdentity, address: string | undefined): boolean {
  return node.haAddresses.some((ha) => ha.address === address?.replace(/^::ffff:/, ""));
}
