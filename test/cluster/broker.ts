/**
 * The session broker at the HA address as its clients meet it: a config that serves it to everybody on the segment, and
 * the few requests the tests make, tried again as an impatient client would.
 */

import assert from "node:assert/strict";
import { type ClientAnswer, type ClientRequest, startClient } from "../lab/client.js";
import { hungAfterMs, type Pair, pairHaAddress, type Side } from "../lab/pair.js";

/** Goes into the config of a pair. */
export const brokerServices = [
  {
    plugin: "vsm",
    agents: ["agent1", "agent2"],
    port: 8080,
    tls: "none",
    authentication: "none",
    allowEverybody: true,
  },
];

/**
 * Where `replicated` is asserted: a standby that a loaded machine keeps from running for a second would make the active
 * answer alone, rightly (R20).
 */
export const patientReplication = { soloAfter: "5s" };

export interface BrokerSession {
  readonly id: string;
  readonly user: string;
  readonly state: "running" | "ended";
  readonly overLimit: boolean;
  readonly epoch: number;
  readonly createdAt: string;
}

export interface Made {
  readonly session: BrokerSession;
  readonly created: boolean;
  readonly acknowledgement: "replicated" | "solo";
  readonly stale: boolean;
}

export interface Ended {
  readonly session: BrokerSession;
  readonly acknowledgement: "replicated" | "solo";
}

export interface Broker {
  /** One request, whatever comes of it. */
  once(request: Omit<ClientRequest, "url"> & { readonly path: string }): Promise<ClientAnswer>;
  createOnce(user: string, key: string): Promise<ClientAnswer>;
  /** Tries again until a session is acknowledged. */
  create(user: string, key?: string): Promise<Made>;
  end(id: string): Promise<Ended>;
  get(id: string): Promise<BrokerSession>;
  /** All sessions, or all of one user, ended ones included. */
  list(user?: string): Promise<readonly BrokerSession[]>;
}

const requestLimitMs = 2000;

export async function startBroker(pair: Pair): Promise<Broker> {
  const client = await startClient(pair.segment);
  const once: Broker["once"] = ({ path, ...request }) =>
    client.ask({ timeoutMs: requestLimitMs, ...request, url: `http://${pairHaAddress}:8080${path}` });
  const until = async (ask: () => Promise<ClientAnswer>, what: string): Promise<unknown> => {
    const refusals = new Map<string, number>();
    let body: unknown;
    try {
      await pair.waitFor(
        async () => {
          const answer = await ask();
          body = answer.body;
          if (answer.status === 200 || answer.status === 201) return true;
          const why = `${answer.status} ${answer.error ?? problemOf(answer)}`;
          refusals.set(why, (refusals.get(why) ?? 0) + 1);
          return false;
        },
        what,
        hungAfterMs,
      );
    } catch (cause) {
      const answers = [...refusals].map(([why, times]) => `${times} times ${why}`).join(", ");
      throw new Error(`${what}: answered ${answers}\n${(cause as Error).message}`, { cause });
    }
    return body;
  };
  const createOnce: Broker["createOnce"] = (user, key) =>
    once({ method: "POST", path: "/v1/sessions", headers: { "idempotency-key": key }, body: { user } });
  return {
    once,
    createOnce,
    create: async (user, key = `key-${user}`) =>
      (await until(() => createOnce(user, key), `a session for ${user}`)) as Made,
    end: async (id) =>
      (await until(
        () => once({ method: "DELETE", path: `/v1/sessions/${id}` }),
        `the end of ${id}`,
      )) as Ended,
    get: async (id) => {
      const body = await until(() => once({ method: "GET", path: `/v1/sessions/${id}` }), `session ${id}`);
      return (body as { session: BrokerSession }).session;
    },
    list: async (user) => {
      const query = `includeEnded=true&limit=1000${user === undefined ? "" : `&user=${user}`}`;
      const body = await until(() => once({ method: "GET", path: `/v1/sessions?${query}` }), "the list");
      return (body as { sessions: readonly BrokerSession[] }).sessions;
    },
  };
}

/** Clients that wait for an answer each. More would give up one after the other where a machine answers slowly. */
const clients = 16;

export async function createMany(broker: Broker, label: string, count: number): Promise<readonly Made[]> {
  const made: Made[] = [];
  const numbers = Array.from({ length: count }, (_, number) => number).values();
  const work = async () => {
    for (const number of numbers) made[number] = await broker.create(`${label}-${number}`);
  };
  await Promise.all(Array.from({ length: clients }, work));
  return made;
}

/** Makes sessions until one is acknowledged as durable on both disks: from now on the pair is in step. */
export async function untilReplicated(pair: Pair, broker: Broker, label: string): Promise<void> {
  let made = 0;
  await pair.waitFor(async () => {
    made += 1;
    return (await broker.create(`${label}-${made}`)).acknowledgement === "replicated";
  }, "a session is acknowledged as replicated");
}

/** Sends the client's frames for the HA address to this machine, whatever the segment says; undefined: as it says. */
export function pinClient(pair: Pair, side: Side | undefined): void {
  if (side === undefined) {
    pair.segment.run("client", "ip", ["neigh", "del", pairHaAddress, "dev", "eth0"]);
    return;
  }
  const mac = pair.segment.run(side, "cat", ["/sys/class/net/eth0/address"]).trim();
  pair.segment.run("client", "ip", [
    "neigh",
    "replace",
    pairHaAddress,
    "lladdr",
    mac,
    "dev",
    "eth0",
    "nud",
    "permanent",
  ]);
}

export function assertSameIds(found: readonly BrokerSession[], expected: readonly string[]): void {
  const ids = new Set(found.map(({ id }) => id));
  const missing = expected.filter((id) => !ids.has(id));
  assert.deepEqual(
    missing,
    [],
    `${missing.length} of ${expected.length} acknowledged sessions are not there`,
  );
}

/** The code of a problem answer. */
export function problemOf({ body }: ClientAnswer): string | undefined {
  return (body as { code?: string } | undefined)?.code;
}
