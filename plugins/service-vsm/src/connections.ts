/**
 * The open connections of the server and the requests on them, so that they can be ended cleanly when this node stops
 * serving (rule R26): the address moves away, and a client left on a dead connection would hang.
 */

import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";

export interface Connections {
  readonly count: number;
  readonly inFlight: number;
  /**
   * Ends every connection: idle ones with a reset, those answered a moment ago with an orderly end, those with a request
   * under way when it is answered, or with a reset after `withinMs`.
   */
  drain(withinMs: number): Promise<void>;
  resetAll(): void;
}

interface Connection {
  /** Of TCP, below TLS: only there can a reset be sent. */
  readonly socket: Socket;
  /** The same, or TLS above it; known from the first request on. */
  upper: Socket | undefined;
  requests: number;
  answeredAtMs: number;
}

/** A reset throws away what the client's kernel has not handed over yet: an answer so young may be among it. */
const justAnsweredMs = 100;

export function connectionsOf(server: Server): Connections {
  const open = new Map<string, Connection>();
  let inFlight = 0;
  /** Called at each answer. */
  const waiting = new Set<() => void>();

  server.on("connection", (socket: Socket) => {
    const key = keyOf(socket);
    open.set(key, { socket, upper: undefined, requests: 0, answeredAtMs: Number.NEGATIVE_INFINITY });
    socket.once("close", () => open.delete(key));
  });
  server.on("request", (request: IncomingMessage, response: ServerResponse) => {
    // Over TLS this is another socket with the same ends.
    const connection = open.get(keyOf(request.socket));
    inFlight += 1;
    if (connection) {
      connection.requests += 1;
      connection.upper = request.socket;
    }
    response.once("close", () => {
      inFlight -= 1;
      if (connection) {
        connection.requests -= 1;
        connection.answeredAtMs = performance.now();
      }
      for (const look of waiting) look();
    });
  });

  return {
    get count() {
      return open.size;
    },
    get inFlight() {
      return inFlight;
    },
    async drain(withinMs) {
      const nowMs = performance.now();
      for (const connection of open.values()) {
        if (connection.requests > 0) continue;
        if (nowMs - connection.answeredAtMs < justAnsweredMs) connection.upper?.end();
        else reset(connection);
      }
      if (inFlight > 0) await untilAnswered(withinMs);
      for (const connection of open.values()) if (connection.requests > 0) reset(connection);
    },
    resetAll() {
      for (const connection of open.values()) reset(connection);
    },
  };

  function untilAnswered(withinMs: number): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        waiting.delete(look);
        resolve();
      };
      const look = (): void => {
        if (inFlight === 0) done();
      };
      const timer = setTimeout(done, withinMs);
      waiting.add(look);
    });
  }
}

function keyOf({ remoteAddress, remotePort, localAddress }: Socket): string {
  return `${remoteAddress} ${remotePort} ${localAddress}`;
}

function reset({ socket }: Connection): void {
  if (!socket.destroyed) socket.resetAndDestroy();
}
