/**
 * Asks the other machine's kernel for a sign of life (rule R9): a TCP connect to a closed port, whose RST needs no user
 * space. A full backlog cannot lie here, since nobody listens.
 */

import { connect, type Socket } from "node:net";
import type { ProbeTarget } from "../plugin/contract.js";

/** The heartbeat port and three: 6943 by default. Nobody may listen there. */
export const probePortOffset = 3;

export interface KernelProbe {
  /** `answered` is called at most once, and not when the answer takes longer than `limitMs`. Never throws. */
  probe(path: string, target: ProbeTarget, answered: () => void): void;
  close(): void;
}

const limitMs = 50;
/** A round every 4 ms, each for 50 ms at most, and a little more. */
const mostPerPath = 16;
/** What a local kernel says when the other one did answer: with RST, or with a firewall's refusal. */
const answers = new Set(["ECONNREFUSED", "ECONNRESET"]);

export function createKernelProbe(port: number): KernelProbe {
  const open = new Map<string, Set<Socket>>();

  function socketsOf(path: string): Set<Socket> {
    const known = open.get(path) ?? new Set<Socket>();
    open.set(path, known);
    return known;
  }

  return {
    probe(path, target, answered) {
      const sockets = socketsOf(path);
      if (sockets.size >= mostPerPath) return;
      const socket = dial(target, port);
      if (socket === undefined) return;
      sockets.add(socket);
      // Only after a poll pass: timers run before sockets are read, and after a stall the answer may wait there (rule R10).
      const timer = setTimeout(() => setImmediate(() => socket.destroy()), limitMs);
      // Somebody listens there: not as agreed, but his kernel lives.
      socket.once("connect", () => {
        answered();
        socket.destroy();
      });
      socket.once("error", (error: NodeJS.ErrnoException) => {
        if (answers.has(error.code ?? "")) answered();
      });
      socket.once("close", () => {
        clearTimeout(timer);
        sockets.delete(socket);
      });
    },
    close() {
      for (const sockets of open.values()) for (const socket of sockets) socket.destroy();
    },
  };
}

function dial(target: ProbeTarget, port: number): Socket | undefined {
  try {
    return connect({ host: target.peerAddress, port, localAddress: target.localAddress });
  } catch {
    // Addresses come from plugins: one that is none cannot be asked.
    return undefined;
  }
}
