/**
 * The primary's end of a peer link: a TLS server on every node address. An address that is not there yet is tried again
 * until it is, because machines configure their networks while services start.
 */

import { createServer, type Server } from "node:tls";
import { explainHandshake, pskTls, secretFor } from "./link-psk.js";
import type { LinkDoor } from "./tls-peer-link.js";

/** One peer needs one; a few more let a new connection pass a dead one. */
const mostConnections = 16;
const handshakeTimeoutMs = 2000;
const retryMs = 500;

export function listenOnAll(door: LinkDoor): { close(): Promise<void> } {
  const ends = door.options.localAddresses.map((address) => listenOn(address, door));
  return {
    async close() {
      await Promise.all(ends.map((end) => end.close()));
    },
  };
}

function listenOn(address: string, door: LinkDoor): { close(): Promise<void> } {
  const { options, keys } = door;
  let wanted = true;
  let timer: NodeJS.Timeout | undefined;
  const server = createServer({
    ...pskTls,
    handshakeTimeout: handshakeTimeoutMs,
    pskCallback: (_socket, identity) => {
      const secret = secretFor(identity, options.cluster, keys.all);
      if (secret === undefined)
        door.failed(`a connection from a stranger: it names the key "${clean(identity)}"`);
      // The type wants a view; null is the documented way to say that there is no such key.
      return (secret ?? null) as Uint8Array;
    },
  });
  server.maxConnections = mostConnections;
  server.on("secureConnection", (socket) => {
    if (wanted) door.connected(socket, () => {});
    else socket.destroy();
  });
  server.on("tlsClientError", (error, socket) => {
    socket.destroy();
    door.failed(explainHandshake(error.message));
  });
  server.on("error", (error) => {
    door.failed(`cannot listen on ${address}:${options.port}: ${error.message}`);
    if (wanted) timer = setTimeout(listen, retryMs);
  });

  function listen(): void {
    if (wanted) server.listen(options.port, address);
  }

  listen();
  return {
    close() {
      wanted = false;
      clearTimeout(timer);
      return closeServer(server);
    },
  };
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()));
}

/** What a stranger sends goes into a log line. */
function clean(identity: string): string {
  return identity.slice(0, 80).replace(/[^\x20-\x7e]/g, "?");
}
