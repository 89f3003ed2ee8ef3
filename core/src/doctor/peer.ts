/**
 * What can be seen of the other node from here: whether its kernel resets the closed probe port (rule R9), and whether
 * its node process proves by TLS that it has our key.
 */

import { connect as connectTcp } from "node:net";
import { type ConnectionOptions, connect as connectTls } from "node:tls";
import type { LocalConfig } from "../config/config.js";
import { deriveKey } from "../keys/derive.js";
import type { KeyRing } from "../keys/key-file.js";
import { explainHandshake, identityOf, pskTls } from "../node/link-psk.js";
import { probePortOffset } from "../pulse/kernel-probe.js";
import { type Finding, finding } from "./finding.js";

const limitMs = 1500;

export async function checkPeer(local: LocalConfig, ring: KeyRing | undefined): Promise<readonly Finding[]> {
  const { config, self, peer } = local;
  const found: Finding[] = [];
  for (const to of peer.addresses) {
    const from = self.addresses.find((address) => address.includes(":") === to.includes(":"));
    if (from === undefined) {
      found.push(finding("peer", "note", `${to}: this node has no address of that family`));
      continue;
    }
    found.push(await checkProbePort(from, to, config.heartbeat.port + probePortOffset));
    if (ring !== undefined && self.side === "secondary") found.push(await checkLink(local, ring, from, to));
  }
  if (self.side === "primary") {
    found.push(
      finding(
        "peer",
        "note",
        "the link is dialled by the secondary: doctor on that node tries the shared key",
      ),
    );
  }
  return found;
}

async function checkProbePort(from: string, to: string, port: number): Promise<Finding> {
  const where = `${to} port ${port}/tcp`;
  const answer = await knock(from, to, port);
  if (answer === "ECONNREFUSED")
    return finding("peer", "ok", `${where} is closed and answers so: its kernel can be asked`);
  if (answer === "open") {
    return finding(
      "peer",
      "fail",
      `${where} is open, and must stay closed (rule R9)`,
      "Stop what listens there.",
    );
  }
  if (answer === "ETIMEDOUT") {
    const todo = "If it is up, let its firewall reject this port (tcp reset) and not drop it.";
    return finding(
      "peer",
      "warn",
      `${where} says nothing: the other node is down, or its firewall drops`,
      todo,
    );
  }
  const todo = "See that the other node is up and that this machine has a route to it.";
  return finding("peer", "warn", `${where} cannot be reached (${answer})`, todo);
}

/** "open", or the error's code. */
function knock(from: string, to: string, port: number): Promise<string> {
  return new Promise((resolve) => {
    const socket = connectTcp({ host: to, port, localAddress: from });
    const timer = setTimeout(() => end("ETIMEDOUT"), limitMs);
    function end(answer: string): void {
      clearTimeout(timer);
      socket.destroy();
      resolve(answer);
    }
    socket.once("connect", () => end("open"));
    socket.once("error", (error: NodeJS.ErrnoException) => end(error.code ?? error.message));
  });
}

function checkLink(local: LocalConfig, ring: KeyRing, from: string, to: string): Promise<Finding> {
  const { config } = local;
  const { port } = config.heartbeat;
  const key = ring.keys.find(({ id }) => id === ring.signWith);
  const where = `${to} port ${port}/tcp`;
  return new Promise((resolve) => {
    // The types forget that these options reach net.connect, which knows localAddress.
    const how: ConnectionOptions & { readonly localAddress: string } = {
      ...pskTls,
      host: to,
      port,
      localAddress: from,
      pskCallback: () => ({
        psk: deriveKey(key?.secret ?? new Uint8Array(), "tls"),
        identity: identityOf(config.cluster, ring.signWith),
      }),
      checkServerIdentity: () => undefined,
    };
    const socket = connectTls(how);
    const timer = setTimeout(() => socket.destroy(new Error("no answer in time")), limitMs);
    let answer = finding("peer", "warn", `${where} ended the connection during the handshake`);
    socket.once("secureConnect", () => {
      answer = finding("peer", "ok", `${where} answers by TLS and has the same key`);
      socket.destroy();
    });
    socket.once("error", (error: NodeJS.ErrnoException) => {
      answer =
        error.code === "ECONNREFUSED"
          ? finding("peer", "note", `${where} is closed: the other node's process does not run`)
          : finding(
              "peer",
              "warn",
              `${where}: ${explainHandshake(error.message)}`,
              "Compare `understudy key show` on both.",
            );
    });
    socket.once("close", () => {
      clearTimeout(timer);
      resolve(answer);
    });
  });
}
