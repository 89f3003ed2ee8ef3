/**
 * A cold service: nothing listens until this node is promoted. Each call says what is wanted; one after the other they
 * make it so, and the last one that was made holds, in whatever order they end.
 */

import { createServer, type Server, type Socket } from "node:net";
import type { Log, Service } from "@understudy/core/public";

export interface EchoOptions {
  readonly host: string;
  readonly port: number;
  readonly log: Log;
}

export function echoService({ host, port, log }: EchoOptions): Service {
  const clients = new Set<Socket>();
  let server: Server | undefined;
  let wanted = false;
  let turn: Promise<void> = Promise.resolve();

  /** Asked again with the same wish it does nothing: promote and demote may come twice. */
  function makeItSo(): Promise<void> {
    turn = turn.catch(() => {}).then(() => (wanted ? open() : close()));
    return turn;
  }

  async function open(): Promise<void> {
    if (server !== undefined) return;
    const made = createServer((client) => {
      clients.add(client);
      client.on("close", () => clients.delete(client));
      client.on("error", (error) => log.debug({ reason: error.message }, "a client went away"));
      client.pipe(client);
    });
    await new Promise<void>((opened, failed) => {
      made.once("error", failed);
      made.listen(port, host, opened);
    });
    made.on("error", (error) => log.error({ error }, "the server failed"));
    made.on("close", () => {
      if (server === made) server = undefined;
    });
    server = made;
  }

  async function close(): Promise<void> {
    const closing = server;
    server = undefined;
    if (closing === undefined) return;
    const closed = new Promise<void>((done) => closing.close(() => done()));
    // Two seconds are all there is: whoever is being served is cut off cleanly.
    for (const client of clients) client.resetAndDestroy();
    await closed;
  }

  return {
    async start() {},
    promote() {
      wanted = true;
      return makeItSo();
    },
    demote() {
      wanted = false;
      return makeItSo();
    },
    async health() {
      if (server?.listening === true) return "healthy";
      return wanted ? "failing" : "stopped";
    },
    stop() {
      wanted = false;
      return makeItSo();
    },
    describe: () => `echo on port ${port}, ${server === undefined ? "closed" : `${clients.size} clients`}`,
  };
}
