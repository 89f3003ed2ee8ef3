/**
 * The peer link over TLS 1.3 with a pre-shared key: the primary listens on all its node addresses, the secondary dials
 * them in turn. The newest connection that proved the key and greeted rightly is the link; an older one ends.
 */

import type { TLSSocket } from "node:tls";
import { type LinkConnection, speakOn } from "./link-connection.js";
import { dialInTurn } from "./link-dial.js";
import { listenOnAll } from "./link-listen.js";
import type { LinkKey, PeerLink, PeerLinkOptions } from "./peer-link.js";

/** The keys in force; a connection uses those of the moment it is made (rule R29). */
export interface LinkKeys {
  all: readonly LinkKey[];
  signWith: number;
}

/** What listening and dialling hand their connections to. */
export interface LinkDoor {
  readonly options: PeerLinkOptions;
  readonly keys: LinkKeys;
  /** The handshake is done. `done` is told when the connection is over, and whether a peer had greeted. */
  connected(socket: TLSSocket, done: (wasOpen: boolean) => void): void;
  /** An attempt came to nothing. */
  failed(reason: string): void;
}

export function createTlsPeerLink(options: PeerLinkOptions): PeerLink {
  const { listeners } = options;
  const keys: LinkKeys = { all: options.keys, signWith: options.signWith };
  const greeting = new Set<LinkConnection>();
  let current: LinkConnection | undefined;
  let wanted = true;

  const door: LinkDoor = {
    options,
    keys,
    failed(reason) {
      if (wanted) listeners.failed?.(reason);
    },
    connected(socket, done) {
      const connection = speakOn(socket, options, {
        opened(version) {
          greeting.delete(connection);
          const older = current;
          current = connection;
          if (older !== undefined) {
            older.end("a newer connection took its place");
            listeners.closed("a newer connection took its place");
          }
          listeners.opened({ version, local: connection.local, remote: connection.remote });
        },
        message(message) {
          if (current === connection) listeners.message(message);
        },
        drained() {
          if (current === connection) listeners.drained();
        },
        closed(reason, wasOpen) {
          greeting.delete(connection);
          done(wasOpen);
          if (current === connection) {
            current = undefined;
            if (wanted) listeners.closed(reason);
          } else if (!wasOpen) {
            door.failed(reason);
          }
        },
      });
      greeting.add(connection);
    },
  };
  const end = options.side === "primary" ? listenOnAll(door) : dialInTurn(door);

  return {
    get isOpen() {
      return current?.isOpen === true;
    },
    get bufferedBytes() {
      return current?.bufferedBytes ?? 0;
    },
    send: (message) => current?.send(message) ?? false,
    reset(reason) {
      current?.end(reason);
    },
    setKeys(all, signWith) {
      keys.all = all;
      keys.signWith = signWith;
    },
    async close() {
      if (!wanted) return;
      wanted = false;
      current?.end("this node is stopping");
      for (const connection of greeting) connection.end("this node is stopping");
      await end.close();
    },
  };
}
