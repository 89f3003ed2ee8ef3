/**
 * The secondary's end of a peer link: dials the peer's addresses in turn, always from a node address of its own (never
 * from the HA address, which would move the link with the service), with pauses of 50 ms growing to 250 ms.
 */

import { isIP } from "node:net";
import { type ConnectionOptions, connect, type TLSSocket } from "node:tls";
import { explainHandshake, identityOf, keysInTurn, pskTls } from "./link-psk.js";
import type { PeerLinkOptions } from "./peer-link.js";
import type { LinkDoor } from "./tls-peer-link.js";

const shortestPauseMs = 50;
/** Also how long a primary that has started waits at most for its peer, on top of everything else. */
const longestPauseMs = 250;
const attemptTimeoutMs = 1000;

interface Target {
  readonly from: string;
  readonly to: string;
}

export function dialInTurn(door: LinkDoor): { close(): Promise<void> } {
  const targets = targetsOf(door.options);
  let wanted = true;
  let timer: NodeJS.Timeout | undefined;
  let socket: TLSSocket | undefined;
  let targetAt = 0;
  let keyAt = 0;
  let pauseMs = shortestPauseMs;

  function again(): void {
    if (!wanted) return;
    timer = setTimeout(attempt, pauseMs);
    pauseMs = Math.min(pauseMs * 2, longestPauseMs);
  }

  function attempt(): void {
    const target = targets[targetAt % targets.length];
    const ring = keysInTurn(door.keys.all, door.keys.signWith);
    const key = ring[keyAt % ring.length];
    if (target === undefined || key === undefined) {
      door.failed(target === undefined ? "the nodes have no address family in common" : "there is no key");
      again();
      return;
    }
    let reached = false;
    let secure = false;
    let problem = "the other node ended the connection during the handshake";
    // The types forget that these options reach net.connect, which knows localAddress.
    const how: ConnectionOptions & { readonly localAddress: string } = {
      ...pskTls,
      host: target.to,
      port: door.options.port,
      localAddress: target.from,
      pskCallback: () => ({ psk: key.secret, identity: identityOf(door.options.cluster, key.id) }),
      checkServerIdentity: () => undefined,
    };
    const dialled = connect(how);
    socket = dialled;
    const deadline = setTimeout(
      () => dialled.destroy(new Error(`no answer within ${attemptTimeoutMs} ms`)),
      attemptTimeoutMs,
    );
    dialled.once("connect", () => {
      reached = true;
    });
    dialled.on("error", (error) => {
      problem = error.message;
    });
    dialled.once("close", () => {
      clearTimeout(deadline);
      if (secure) return;
      door.failed(`${target.to}:${door.options.port}: ${reached ? explainHandshake(problem) : problem}`);
      // A peer that was reached and refused may know an older key only; one that was not has another address.
      if (reached) keyAt += 1;
      if (!reached || keyAt % ring.length === 0) targetAt += 1;
      again();
    });
    dialled.once("secureConnect", () => {
      secure = true;
      clearTimeout(deadline);
      door.connected(dialled, (wasOpen) => {
        keyAt = 0;
        if (wasOpen) pauseMs = shortestPauseMs;
        else targetAt += 1;
        again();
      });
    });
  }

  attempt();
  return {
    async close() {
      wanted = false;
      clearTimeout(timer);
      socket?.destroy();
    },
  };
}

/** Every address of the peer with one of ours of the same family: the one at the same place in the list, or the first. */
export function targetsOf(
  options: Pick<PeerLinkOptions, "localAddresses" | "peerAddresses">,
): readonly Target[] {
  return options.peerAddresses.flatMap((to, at) => {
    const sameFamily = (address: string | undefined) => address !== undefined && isIP(address) === isIP(to);
    const beside = options.localAddresses[at];
    const from = sameFamily(beside) ? beside : options.localAddresses.find(sameFamily);
    return from === undefined ? [] : [{ from, to }];
  });
}
