/**
 * What the users of a session broker do all day, made a little denser: sessions are created and looked up through the
 * HA address without pause. A failed request is counted, and tried again with the same idempotency key.
 */

import type { Client, ClientAnswer } from "../lab/client.js";

export interface WorkloadCounts {
  readonly requests: number;
  /** Requests that got no good answer at the first try. */
  readonly failed: number;
  /** Sessions that were acknowledged as durable on both disks, and on one. */
  readonly replicated: number;
  readonly solo: number;
}

export interface Workload {
  counts(): WorkloadCounts;
  /** Ends the load, then looks every acknowledged session up and returns those that are not there. */
  finish(): Promise<{ readonly acknowledged: number; readonly lost: readonly string[] }>;
}

interface CreatedBody {
  readonly session?: { readonly id?: string };
  readonly acknowledgement?: string;
}

const workers = 4;
const pauseMs = 8;
const requestLimitMs = 250;
const giveUpAfterMs = 20_000;

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

export function startWorkload(client: Client, base: string): Workload {
  const acknowledged: string[] = [];
  const counts = { requests: 0, failed: 0, replicated: 0, solo: 0 };
  let running = true;
  let users = 0;

  const ask = async (
    request: Parameters<Client["ask"]>[0],
    good: (answer: ClientAnswer) => boolean,
  ): Promise<ClientAnswer | undefined> => {
    const endMs = performance.now() + giveUpAfterMs;
    for (let first = true; performance.now() < endMs; first = false) {
      const answer = await client.ask({ timeoutMs: requestLimitMs, ...request });
      counts.requests += 1;
      if (good(answer)) return answer;
      if (first) counts.failed += 1;
      await pause(5);
    }
    return undefined;
  };

  const create = async () => {
    users += 1;
    const user = `user${users}`;
    const answer = await ask(
      {
        method: "POST",
        url: `${base}/v1/sessions`,
        headers: { "idempotency-key": `demo-${users}` },
        body: { user, attributes: { client: "demo" } },
      },
      ({ status }) => status === 201 || status === 200,
    );
    const body = answer?.body as CreatedBody | undefined;
    if (body?.session?.id === undefined) return;
    acknowledged.push(body.session.id);
    if (body.acknowledgement === "replicated") counts.replicated += 1;
    else counts.solo += 1;
  };

  const lookUp = async () => {
    const id = acknowledged[Math.floor(Math.random() * acknowledged.length)];
    if (id === undefined) return;
    await ask({ method: "GET", url: `${base}/v1/sessions/${id}` }, ({ status }) => status === 200);
  };

  const work = async () => {
    while (running) {
      await create();
      await lookUp();
      await pause(pauseMs);
    }
  };
  const working = Array.from({ length: workers }, work);

  return {
    counts: () => ({ ...counts }),
    finish: async () => {
      running = false;
      await Promise.all(working);
      const lost: string[] = [];
      for (const id of acknowledged) {
        const answer = await ask(
          { method: "GET", url: `${base}/v1/sessions/${id}` },
          ({ status }) => status === 200 || status === 404,
        );
        if (answer?.status !== 200) lost.push(id);
      }
      return { acknowledged: acknowledged.length, lost };
    },
  };
}
