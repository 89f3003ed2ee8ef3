/**
 * The HTTP side of the API: fastify with our routes, the checks before each request (does this node serve, did it arrive
 * at an HA address, who asks), limits for slow and large requests, and problem details for whatever goes wrong.
 */

import { STATUS_CODES } from "node:http";
import type { Socket } from "node:net";
import type { Log, TokenVerifier } from "@understudy/core/public";
import Fastify, {
  type FastifyError,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
} from "fastify";
import { canonicalAddress } from "./canonical-address.js";
import { documentPath, openApiDocument } from "./openapi.js";
import {
  type Problem,
  type ProblemCode,
  problemBody,
  problemCodes,
  RequestRefused,
  retryAfterHeader,
} from "./problems.js";
import type { Route } from "./route.js";
import type { CertificateAndKey } from "./self-signed.js";

export interface AppOptions {
  readonly routes: readonly Route[];
  /** Undefined: plain HTTP. */
  readonly certificate: CertificateAndKey | undefined;
  readonly authentication: "token" | "none";
  readonly tokens: TokenVerifier;
  /** Canonical text of the addresses that sessions are served at; undefined: at all. */
  readonly servedAt: ReadonlySet<string> | undefined;
  serving(): boolean;
  readonly log: Log;
}

/** Twice what the largest request has: a user, an agent and 4 KiB of attributes, escaped. */
const mostBodyBytes = 16 * 1024;
const mostHeaderBytes = 8 * 1024;
const mostConnections = 10_000;
const limits = {
  // Slow clients hold a connection, never a place in the queue; each is let go of after these.
  headersTimeout: 5000,
  requestTimeout: 10_000,
  keepAliveTimeout: 30_000,
  connectionsCheckingInterval: 1000,
  maxHeaderSize: mostHeaderBytes,
};

export function createApp(options: AppOptions): FastifyInstance {
  const { certificate } = options;
  const app = Fastify({
    logger: false,
    bodyLimit: mostBodyBytes,
    connectionTimeout: 35_000,
    requestTimeout: limits.requestTimeout,
    keepAliveTimeout: limits.keepAliveTimeout,
    forceCloseConnections: true,
    exposeHeadRoutes: false,
    clientErrorHandler,
    ...(certificate === undefined
      ? { http: limits }
      : {
          https: {
            ...limits,
            cert: certificate.certificate,
            key: certificate.key,
            minVersion: "TLSv1.2",
            handshakeTimeout: 5000,
          },
        }),
  } as object) as FastifyInstance;
  app.server.maxConnections = mostConnections;
  app.removeContentTypeParser("text/plain");
  app.setErrorHandler((error: FastifyError, _request, reply) => sendError(error, reply, options.log));
  app.setNotFoundHandler((request, reply) => sendProblem(reply, notFound(request, options.routes)));
  app.addHook("onSend", async (_request, reply, payload) => {
    // What was answered on a connection to an address that moves away is the last there.
    if (!options.serving()) reply.header("connection", "close");
    return payload;
  });
  for (const route of options.routes) addRoute(app, route, options);
  const document = openApiDocument(options.routes, options.authentication);
  app.get(documentPath, async () => document);
  return app;
}

function addRoute(app: FastifyInstance, route: Route, options: AppOptions): void {
  app.route({
    method: route.method,
    url: route.path.replaceAll(/\{(\w+)\}/g, ":$1"),
    async onRequest(request) {
      if (route.scope !== undefined) admit(request, route.scope, options);
    },
    async handler(request, reply) {
      const { params, query, headers, body } = request;
      const answer = await route.answer({ params, query, headers, body });
      return reply
        .status(answer.status)
        .headers(answer.headers ?? {})
        .send(answer.body);
    },
  });
}

/** Before the body is read: a node that does not serve says so at once, whoever asks. */
function admit(request: FastifyRequest, scope: "read" | "write", options: AppOptions): void {
  if (!options.serving()) throw new RequestRefused("notActive", "this node stands by", 0);
  const { servedAt } = options;
  if (servedAt !== undefined && !servedAt.has(canonicalAddress(request.socket.localAddress ?? ""))) {
    throw new RequestRefused("wrongAddress", `ask one of ${[...servedAt].join(", ")}`);
  }
  if (options.authentication === "none") return;
  const [scheme, token] = request.headers.authorization?.split(" ") ?? [];
  if (scheme?.toLowerCase() !== "bearer" || !token) {
    throw new RequestRefused("noToken", "send the header Authorization: Bearer TOKEN");
  }
  const known = options.tokens.verify(token);
  if (!known) throw new RequestRefused("wrongToken", "see `understudy token list`");
  if (scope === "write" && known.scope !== "write") {
    throw new RequestRefused("readOnlyToken", `the token ${known.name} has the scope read`);
  }
}

function sendError(error: FastifyError, reply: FastifyReply, log: Log): FastifyReply {
  if (error instanceof RequestRefused) return sendProblem(reply, error.problem);
  const code = codeOfFastify(error);
  if (code === "internal") {
    log.error({ error }, "a request met a mistake of this node");
    return sendProblem(reply, problemOf("internal", "it is in this node's log"));
  }
  return sendProblem(reply, problemOf(code, error.message));
}

function codeOfFastify({ code, statusCode }: FastifyError): ProblemCode {
  if (code === "FST_ERR_CTP_BODY_TOO_LARGE") return "tooLarge";
  if (code === "FST_ERR_CTP_INVALID_MEDIA_TYPE") return "wrongMediaType";
  return statusCode !== undefined && statusCode >= 400 && statusCode < 500 ? "invalid" : "internal";
}

function problemOf(code: ProblemCode, detail: string): Problem {
  return { code, ...problemCodes[code], detail };
}

function sendProblem(reply: FastifyReply, problem: Problem): FastifyReply {
  const retryAfter = retryAfterHeader(problem);
  if (retryAfter !== undefined) reply.header("retry-after", retryAfter);
  if (problem.status === 401) reply.header("www-authenticate", 'Bearer realm="understudy"');
  // As bytes, since fastify would add a charset to text, which this media type does not have.
  const body = Buffer.from(JSON.stringify(problemBody(problem)));
  return reply.status(problem.status).type("application/problem+json").send(body);
}

function notFound(request: FastifyRequest, routes: readonly Route[]): Problem {
  const path = request.url.split("?")[0] ?? "";
  const matches = (route: Route) =>
    new RegExp(`^${route.path.replaceAll(/\{\w+\}/g, "[^/]+").replaceAll(".", "\\.")}$`).test(path);
  const methods = routes.filter(matches).map(({ method }) => method);
  if (methods.length > 0) return problemOf("wrongMethod", `${path} knows ${methods.join(" and ")}`);
  return problemOf("noSuchRoute", `there is no ${request.method} ${path}: see ${documentPath}`);
}

/** What is wrong before there is a request: it is answered on the bare socket. */
function clientErrorHandler(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === "ECONNRESET" || socket.destroyed || !socket.writable) {
    socket.destroy();
    return;
  }
  const code: ProblemCode =
    error.code === "ERR_HTTP_REQUEST_TIMEOUT"
      ? "tooSlow"
      : error.code === "HPE_HEADER_OVERFLOW"
        ? "tooLarge"
        : "invalid";
  const problem = problemOf(code, error.message);
  const status = code === "tooLarge" ? 431 : problem.status;
  const body = JSON.stringify(problemBody({ ...problem, status }));
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nContent-Type: application/problem+json\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  );
}
