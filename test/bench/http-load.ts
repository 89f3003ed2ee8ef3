/**
 * The writers of the HTTP benchmark, in the client's namespace: so many keep-alive connections create sessions for a
 * time, each request of another user. Writes one line of JSON at the end.
 */

import { Agent, request } from "node:http";
import { attributesOf, quantile } from "./figures.js";

const [base = "", writers = "1", seconds = "3", tag = ""] = process.argv.slice(2);
const agent = new Agent({ keepAlive: true, maxSockets: Number(writers) });
const endMs = performance.now() + Number(seconds) * 1000;
const timesMs: number[] = [];
const outcomes: Record<string, number> = {};
let made = 0;

function create(): Promise<string> {
  made += 1;
  const body = JSON.stringify({
    user: `${tag}-${made}`,
    attributes: JSON.parse(attributesOf(made)) as object,
  });
  return new Promise((resolve) => {
    const asked = request(
      `${base}/v1/sessions`,
      {
        method: "POST",
        agent,
        headers: { "content-type": "application/json", "content-length": Buffer.byteLength(body) },
      },
      (response) => {
        let text = "";
        response.setEncoding("utf8");
        response.on("data", (chunk: string) => {
          text += chunk;
        });
        response.on("end", () => {
          const answer = JSON.parse(text) as { acknowledgement?: string };
          resolve(answer.acknowledgement ?? String(response.statusCode));
        });
      },
    );
    asked.on("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    asked.end(body);
  });
}

async function write(): Promise<void> {
  while (performance.now() < endMs) {
    const startedMs = performance.now();
    const outcome = await create();
    timesMs.push(performance.now() - startedMs);
    outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
  }
}

const startedMs = performance.now();
await Promise.all(Array.from({ length: Number(writers) }, write));
const tookSeconds = (performance.now() - startedMs) / 1000;
timesMs.sort((left, right) => left - right);
process.stdout.write(
  `${JSON.stringify({
    perSecond: timesMs.length / tookSeconds,
    medianMs: quantile(timesMs, 0.5),
    p99Ms: quantile(timesMs, 0.99),
    outcomes,
  })}\n`,
  () => process.exit(0),
);
