/**
 * The session broker's API as a service of the pair. It is warm: it listens on both nodes all the time, and whether it
 * serves is a variable, so that a takeover costs it nothing.
 */

import type {
  Clock,
  Folders,
  Log,
  NodeIdentity,
  Service,
  SessionApi,
  TokenVerifier,
} from "@understudy/core/public";
import type { FastifyInstance } from "fastify";
import { agentCounts } from "./agent-counts.js";
import { createApp } from "./app.js";
import { canonicalAddress } from "./canonical-address.js";
import { certificateOf } from "./certificate.js";
import { type Connections, connectionsOf } from "./connections.js";
import { vsmError } from "./errors.js";
import type { VsmOptions } from "./options.js";
import { placement } from "./placement.js";
import { routes } from "./routes.js";
import type { CertificateAndKey } from "./self-signed.js";

export interface VsmNeeds {
  readonly sessions: SessionApi;
  readonly tokens: TokenVerifier;
  readonly node: NodeIdentity;
  readonly folders: Folders;
  readonly clock: Clock;
  readonly log: Log;
}

const certificateCheckMs = 60_000;

export function vsmService(options: VsmOptions, needs: VsmNeeds): Service {
  const { sessions, clock, log, node } = needs;
  let serving: { readonly epoch: number } | undefined;
  let listening:
    | { readonly app: FastifyInstance; readonly connections: Connections; readonly at: string }
    | undefined;
  let certificateTimer: NodeJS.Timeout | undefined;

  const table = routes({
    sessions,
    placement: placement(options.agents, agentCounts(sessions, clock, log), () => clock.nowMs()),
    serving: () => serving,
    freezeWaitMs: options.freezeWaitMs,
  });

  async function listen(): Promise<void> {
    const certificate = certificateNow();
    const app = createApp({
      routes: table,
      certificate,
      authentication: options.authentication,
      tokens: needs.tokens,
      servedAt: options.onlyAtHaAddress
        ? new Set(node.haAddresses.map(({ address }) => canonicalAddress(address)))
        : undefined,
      serving: () => serving !== undefined,
      log,
    });
    const connections = connectionsOf(app.server);
    const at = await listenAt(app, options);
    listening = { app, connections, at };
    if (certificate !== undefined) watchCertificate(app, certificate);
    log.info(
      { at, tls: certificate !== undefined, authentication: options.authentication },
      "the session API listens",
    );
    if (certificate === undefined && options.authentication === "token") {
      log.warn({ at }, "tokens cross the network in the clear: tls is none");
    }
  }

  function certificateNow(): CertificateAndKey | undefined {
    return options.tls === "none" ? undefined : certificateOf(options.tls, node, needs.folders);
  }

  /** A renewed certificate is used for new connections; one that cannot be used leaves the old one in force. */
  function watchCertificate(app: FastifyInstance, first: CertificateAndKey): void {
    let used = first;
    certificateTimer = setInterval(() => {
      try {
        const fresh = certificateNow();
        if (!fresh || (fresh.certificate === used.certificate && fresh.key === used.key)) return;
        if (!("setSecureContext" in app.server) || typeof app.server.setSecureContext !== "function") return;
        app.server.setSecureContext({ cert: fresh.certificate, key: fresh.key, minVersion: "TLSv1.2" });
        used = fresh;
        log.info({}, "a renewed certificate is in use");
      } catch (error) {
        log.warn({ error }, "the certificate's files changed and cannot be used: the old one stays");
      }
    }, certificateCheckMs);
    certificateTimer.unref();
  }

  return {
    async start() {
      if (!listening) await listen();
    },
    async promote(epoch) {
      if (!listening) await listen();
      serving = { epoch };
    },
    async demote() {
      serving = undefined;
      await listening?.connections.drain(options.drainMs);
    },
    async health() {
      if (!listening?.app.server.listening) return "stopped";
      return "healthy";
    },
    async stop() {
      clearInterval(certificateTimer);
      const ending = listening;
      listening = undefined;
      if (!ending) return;
      if (serving) {
        serving = undefined;
        await ending.connections.drain(options.drainMs);
      }
      ending.connections.resetAll();
      await ending.app.close();
    },
    describe() {
      const count = listening?.connections.count ?? 0;
      const role = serving === undefined ? "standby" : `serving with epoch ${serving.epoch}`;
      const place = listening?.at ?? "not listening";
      return `session API, ${place}, ${options.agents.length} agents: ${role}, ${count} connections`;
    },
  };
}

/** Throws VSM_NOT_LISTENING. */
async function listenAt(app: FastifyInstance, { listen, port, tls }: VsmOptions): Promise<string> {
  const at = async (host: string): Promise<string> => {
    await app.listen({ host, port });
    return `${tls === "none" ? "http" : "https"} on ${host.includes(":") ? `[${host}]` : host}:${port}`;
  };
  try {
    return await at(listen);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    // A kernel without IPv6 knows no :: and still has all its IPv4 addresses at 0.0.0.0.
    if (listen === "::" && (code === "EAFNOSUPPORT" || code === "EADDRNOTAVAIL")) {
      return await at("0.0.0.0").catch((again) => Promise.reject(notListening("0.0.0.0", port, again)));
    }
    await app.close().catch(() => undefined);
    throw notListening(listen, port, error);
  }
}

function notListening(host: string, port: number, cause: unknown): Error {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return vsmError("VSM_NOT_LISTENING", `cannot listen on ${host} port ${port}: ${reason}`, { cause });
}
