/**
 * A server that misbehaves as no Mosquitto would: accepts and says nothing, or refuses what it is told to. It knows no
 * more of MQTT than the type of each packet (MQTT 5, 2.1.2) and the packet id of a SUBSCRIBE.
 */

import { once } from "node:events";
import { createServer, connect as dial, type Server, type Socket } from "node:net";

export interface StandIn {
  readonly port: number;
  /** Connections so far. */
  readonly connections: number;
  /** Connections that are open now. */
  readonly open: number;
  close(): Promise<void>;
}

/** What is answered: `connack` is a reason code, `suback` one for each of the three topics; undefined: nothing. */
export interface Manners {
  readonly connack?: number;
  readonly suback?: readonly [number, number, number];
}

const connectType = 1;
const subscribeType = 8;

export async function standInBroker(manners: Manners): Promise<StandIn> {
  let connections = 0;
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    connections += 1;
    sockets.add(socket);
    socket.on("error", () => undefined);
    socket.on("close", () => sockets.delete(socket));
    // The plugin sends each of these two packets in a write of its own and waits for the answer.
    socket.on("data", (packet: Buffer) => {
      const type = (packet[0] ?? 0) >> 4;
      if (type === connectType && manners.connack !== undefined)
        socket.write(Buffer.from([0x20, 3, 0, manners.connack, 0]));
      if (type === subscribeType && manners.suback !== undefined)
        socket.write(Buffer.from([0x90, 6, packet[2] ?? 0, packet[3] ?? 0, 0, ...manners.suback]));
    });
  });
  const port = await listening(server);
  return {
    port,
    get connections() {
      return connections;
    },
    get open() {
      return sockets.size;
    },
    close: () => closed(server, sockets),
  };
}

export interface Relay {
  readonly port: number;
  /** From now on nothing passes and nobody is told: a cable that is out, a firewall that forgot the connection. */
  freeze(): void;
  close(): Promise<void>;
}

/** Passes bytes on to another port of 127.0.0.1. Connections that were frozen stay so; new ones pass. */
export async function relayTo(target: number): Promise<Relay> {
  const sockets = new Set<Socket>();
  const server = createServer((near) => {
    const far = dial(target, "127.0.0.1");
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from);
      from.on("error", () => undefined);
      from.on("close", () => {
        sockets.delete(from);
        to.destroy();
      });
      from.pipe(to);
    }
  });
  const port = await listening(server);
  return {
    port,
    freeze() {
      for (const socket of sockets) {
        socket.unpipe();
        socket.pause();
        socket.removeAllListeners("close");
      }
    },
    close: () => closed(server, sockets),
  };
}

async function listening(server: Server): Promise<number> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}

async function closed(server: Server, sockets: ReadonlySet<Socket>): Promise<void> {
  for (const socket of sockets) socket.destroy();
  server.close();
  await once(server, "close");
}
