/**
 * The observer: counts what it is told, and answers scrapes. A scrape reads what the node knows already and asks nobody;
 * one that reads slowly costs a socket for a few seconds, and there are few of those.
 */

import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Log, NodeIdentity, Observer, StatusReader } from "@understudy/core/public";
import { createCounters } from "./counters.js";
import { contentTypes, exposition, formatFor } from "./exposition.js";
import { metricsOf } from "./metrics.js";
import type { Endpoint, PrometheusOptions } from "./options.js";

export interface PrometheusNeeds {
  readonly status: StatusReader;
  readonly node: NodeIdentity;
  readonly log: Log;
}

const retryMs = 10_000;
const socketLimitMs = 10_000;
const mostConnections = 16;

export function prometheusObserver(
  options: PrometheusOptions,
  { status, node, log }: PrometheusNeeds,
): Observer {
  const listen = endpointOf(options.listen, node);
  const counters = createCounters();
  let server: Server | undefined;
  let retry: NodeJS.Timeout | undefined;
  let state = "not started";
  let ended = false;

  function answer(request: IncomingMessage, response: ServerResponse): void {
    const path = request.url?.split("?")[0];
    if (path !== "/metrics") {
      plain(response, 404, "Metrics are at /metrics.\n");
      return;
    }
    if (request.method !== "GET" && request.method !== "HEAD") {
      response.setHeader("allow", "GET, HEAD");
      plain(response, 405, "Only GET is answered.\n");
      return;
    }
    const format = formatFor(request.headers.accept);
    const body = exposition(metricsOf(status.read(), counters), format);
    response.writeHead(200, {
      "content-type": contentTypes[format],
      "content-length": Buffer.byteLength(body),
    });
    response.end(request.method === "HEAD" ? undefined : body);
  }

  function answerSafely(request: IncomingMessage, response: ServerResponse): void {
    try {
      answer(request, response);
    } catch (error) {
      log.error({ error }, "a scrape could not be answered");
      plain(response, 500, "The status of this node cannot be read now.\n");
    }
  }

  /** A port that is taken is no reason for a node not to run: status says it, and it is tried again. */
  function open(): Promise<void> {
    const made = createServer({ headersTimeout: 5000, requestTimeout: 5000 }, answerSafely);
    made.maxConnections = mostConnections;
    made.keepAliveTimeout = 5000;
    made.setTimeout(socketLimitMs);
    made.unref();
    server = made;
    return new Promise((resolve) => {
      made.once("listening", () => {
        state = `/metrics on ${endpointText(addressOf(made, listen))}`;
        made.on("error", (error) => log.error({ error }, "the server of the metrics failed"));
        resolve();
      });
      made.once("error", (error: NodeJS.ErrnoException) => {
        if (state === "not started" || !state.startsWith("not listening"))
          log.error({ error }, "metrics cannot be shown");
        state = `not listening on ${endpointText(listen)}: ${error.code ?? error.message}; tried again every ${retryMs / 1000} s`;
        if (!ended) retry = setTimeout(() => void open(), retryMs).unref();
        resolve();
      });
      made.listen(listen.port, listen.address);
    });
  }

  return {
    async start() {
      if (node.haAddresses.some(({ address }) => address === listen.address)) {
        state = `not listening: ${listen.address} is the HA address, which is on one node only`;
        log.error({ address: listen.address }, "metrics must have an address of the node's own");
        return;
      }
      await open();
    },
    async observe(entry) {
      counters.count(entry);
    },
    async stop() {
      ended = true;
      clearTimeout(retry);
      const closing = server;
      server = undefined;
      state = "stopped";
      if (closing?.listening !== true) return;
      const closed = new Promise((resolve) => closing.close(resolve));
      closing.closeAllConnections();
      await closed;
    },
    describe: () => state,
  };
}

function endpointOf({ address, port }: Endpoint, node: NodeIdentity): Endpoint {
  return { address: address === "node" ? (node.addresses[0] ?? "127.0.0.1") : address, port };
}

function plain(response: ServerResponse, code: number, text: string): void {
  response.writeHead(code, { "content-type": "text/plain; charset=utf-8" });
  response.end(text);
}

function addressOf(server: Server, asked: Endpoint): Endpoint {
  const bound = server.address() as AddressInfo | null;
  return { address: asked.address, port: bound?.port ?? asked.port };
}

function endpointText({ address, port }: Endpoint): string {
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
}
