/**
 * The probing client as a process: three levels in a thread, HTTP here. It starts at once, writes `ready`, for each
 * line of its standard input how far it is, and at the end of that all samples as one line of JSON.
 */

import { request } from "node:http";
import { createInterface } from "node:readline";
import { Worker } from "node:worker_threads";
import { monotonicMs } from "./packet-socket.js";
import { countOf, type ProbeCounts, type ProbeOrder, type Sample } from "./probe.js";

const order = JSON.parse(process.argv[2] ?? "{}") as ProbeOrder;
const stop = new Int32Array(new SharedArrayBuffer(4));
const counts = new Int32Array(new SharedArrayBuffer(4 * countOf.length));
const samples: Sample[] = [];
const failures: { readonly atMs: number; readonly why: string }[] = [];
let stopping = false;

/** A new connection for each request, as an impatient client makes them; a request that hangs is given up. */
function askHttp(): void {
  if (stopping || order.httpPort === undefined) return;
  let settled = false;
  const again = (pauseMs: number) => {
    if (settled) return;
    settled = true;
    setTimeout(askHttp, pauseMs);
  };
  const asked = request(
    { host: order.address, port: order.httpPort, path: order.httpPath ?? "/", agent: false, timeout: 30 },
    (response) => {
      let body = "";
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => {
        body += chunk;
      });
      response.on("end", () => {
        if (response.statusCode === 200)
          samples.push({ level: "http", atMs: monotonicMs(), from: body.trim() });
        else failures.push({ atMs: monotonicMs(), why: String(response.statusCode) });
        again(1);
      });
    },
  );
  asked.on("timeout", () => asked.destroy(new Error("no answer in 30 ms")));
  asked.on("error", (error) => {
    failures.push({ atMs: monotonicMs(), why: error.message });
    again(1);
  });
  asked.end();
}

const thread = new Worker(new URL("./probe-thread.js", import.meta.url), {
  workerData: { ...order, stop: stop.buffer, counts: counts.buffer },
});
thread.on("message", (message: "ready" | Sample[]) => {
  if (message === "ready") {
    process.stdout.write("ready\n");
    askHttp();
    return;
  }
  process.stdout.write(
    `${JSON.stringify({ samples: [...message, ...samples], failures, endedMs: monotonicMs() })}\n`,
    () => process.exit(0),
  );
});
thread.on("error", (error) => {
  process.stderr.write(`${error.message}\n`);
  process.exit(1);
});

function countsNow(): ProbeCounts {
  const [reads = 0, arp = 0, icmp = 0, udp = 0] = counts;
  return { reads, arp, icmp, udp, http: samples.length, httpFailed: failures.length };
}

createInterface({ input: process.stdin }).on("line", () => {
  process.stdout.write(`${JSON.stringify(countsNow())}\n`);
});
process.stdin.on("end", () => {
  stopping = true;
  Atomics.store(stop, 0, 1);
});
