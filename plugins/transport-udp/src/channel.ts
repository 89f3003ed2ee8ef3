/**
 * The sockets of a path, bound and set up: one for unicast; for a group one that sends, from this node's own address,
 * and one that hears the group. The kernel lets through what the peer sent and nothing else.
 */

import { createSocket, type RemoteInfo, type Socket } from "node:dgram";
import type { Endpoints } from "./endpoints.js";

export interface Channel {
  readonly sender: Socket;
  /** Where frames are sent to. */
  readonly target: string;
  close(): void;
}

export interface ChannelOptions {
  /** The interface with the local address, as far as it is known now. */
  readonly interfaceName: string | undefined;
  readonly deliver: (frame: Buffer, from: RemoteInfo) => void;
  /** An error after the opening, of a frame sent earlier. */
  readonly failed: (error: Error) => void;
}

/** Rejects with the kernel's error when a socket cannot be bound, and leaves nothing open then. */
export async function openChannel(endpoints: Endpoints, options: ChannelOptions): Promise<Channel> {
  const opened: Socket[] = [];
  const close = () => {
    for (const socket of opened) closeQuietly(socket);
  };
  const open = async (address: string, kind: "own" | "shared") => {
    const socket = socketFor(endpoints, kind);
    opened.push(socket);
    await bound(socket, address, endpoints.port, options.failed);
    return socket;
  };
  try {
    const sender = await open(endpoints.local, "own");
    const target = await (endpoints.to.kind === "unicast"
      ? listenOn(sender, endpoints.peer, options)
      : openGroup(sender, endpoints, options, open));
    return { sender, target, close };
  } catch (error) {
    close();
    throw error;
  }
}

/** A group may be heard by several processes and paths of one machine; an address of our own has one owner. */
function socketFor({ family }: Endpoints, kind: "own" | "shared"): Socket {
  return createSocket({
    type: family === 4 ? "udp4" : "udp6",
    ipv6Only: family === 6,
    reuseAddr: kind === "shared",
    // Node looks names up before each send, in a later turn even for addresses; ours are addresses.
    lookup: (host, _options, found) => found(null, host, family),
  });
}

function bound(socket: Socket, address: string, port: number, failed: (error: Error) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    let settled = false;
    socket.on("error", (error) => (settled ? failed(error) : reject(error)));
    socket.once("listening", () => {
      settled = true;
      resolve();
    });
    socket.once("close", () => reject(new Error("stopped")));
    socket.bind({ address, port, exclusive: true });
  });
}

function listenOn(socket: Socket, target: string, { deliver }: ChannelOptions): string {
  socket.on("message", deliver);
  return target;
}

/**
 * The listener is connected to the peer, so that the kernel drops what other pairs send to the group and our own frames
 * that come back: none of them may stand between us and a beat when silence is judged (rule R10).
 */
async function openGroup(
  sender: Socket,
  { local, peer, port, family, to }: Endpoints,
  options: ChannelOptions,
  open: (address: string, kind: "shared") => Promise<Socket>,
): Promise<string> {
  if (to.kind === "unicast") throw new Error("a unicast path has no group");
  if (to.kind === "broadcast") {
    sender.setBroadcast(true);
    const listener = await open(to.address, "shared");
    await connected(listener, port, peer);
    return listenOn(listener, to.address, options);
  }
  const { group, ttl } = to;
  if (family === 6 && options.interfaceName === undefined) throw notHere(local);
  const device = family === 6 ? `::%${options.interfaceName}` : local;
  sender.setMulticastTTL(ttl);
  sender.setMulticastLoopback(false);
  sender.setMulticastInterface(device);
  const scoped = /^ff.2:/.test(group) ? `${group}%${options.interfaceName}` : group;
  const listener = await open(scoped, "shared");
  listener.addMembership(group, device);
  await connected(listener, port, peer);
  // Sent without %interface: by the index set above, so that an interface made anew fails here and all is bound anew.
  return listenOn(listener, group, options);
}

function notHere(address: string): Error {
  return Object.assign(new Error(`no interface has ${address}`), { code: "EADDRNOTAVAIL" });
}

function connected(socket: Socket, port: number, address: string): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.connect(port, address, (error?: Error | null) => (error ? reject(error) : resolve()));
  });
}

function closeQuietly(socket: Socket): void {
  socket.removeAllListeners("message");
  try {
    socket.close();
  } catch {
    // It closed itself after a failed bind.
  }
}
