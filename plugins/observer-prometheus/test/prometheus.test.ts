/** Metrics over real HTTP: both formats, what they say, who is kept waiting by whom, and a port that somebody has. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { get } from "node:http";
import { type AddressInfo, connect, createServer, type Server } from "node:net";
import { join } from "node:path";
import { afterEach, test } from "node:test";
import { makePlugin, recordingLog, testNode } from "@understudy/core/conformance/capabilities";
import { observerConformance, timelineEntry } from "@understudy/core/conformance/observer";
import type { Observer, StatusView } from "@understudy/core/public";
import type { Format } from "../src/exposition.js";
import plugin from "../src/plugin.js";
import { type Parsed, parse } from "./parser.js";

const view: StatusView = {
  cluster: "lab",
  node: 'al"pha\\',
  side: "primary",
  version: "0.1.0",
  pulse: {
    role: "active",
    roleForMs: 1500,
    epoch: 7,
    highestEpoch: 7,
    verified: true,
    maintenance: false,
    peer: { alive: true, role: "standby", inSync: true, configEqual: undefined },
    deadTimeMs: 100,
    worstSilenceMs: 24.5,
    paths: [
      { name: "udp", class: "client", twoWay: true, lastHeardMsAgo: 12, latencyMs: 0.125 },
      { name: "serial", class: "private", twoWay: false, lastHeardMsAgo: undefined, latencyMs: undefined },
    ],
    protections: [
      { name: "kernel-lease", inForce: true, detail: "" },
      { name: "hardware-watchdog", inForce: false, detail: "" },
    ],
    alarms: [{ code: "PATH_DEGRADED", detail: "" }],
    process: { rssBytes: 70_000_000, cpuMs: 2500 },
  },
  sessions: {
    store: true,
    inSync: true,
    verified: true,
    linkUp: true,
    running: 12,
    ended: 3,
    bytes: 65_536,
    unconfirmed: 2,
    acknowledged: { replicated: 40, solo: 1 },
  },
  services: [{ name: "vsm", health: "healthy", serving: true }],
  observers: [{ name: "prometheus", dropped: 0 }],
  process: { rssBytes: 90_000_000, cpuMs: 100 },
};

const observers: Observer[] = [];
const servers: Server[] = [];
afterEach(async () => {
  for (const observer of observers.splice(0)) await observer.stop();
  for (const server of servers.splice(0)) await new Promise((resolve) => server.close(resolve));
});

function make(options: object = { listen: "127.0.0.1:0" }, status: () => StatusView = () => view): Observer {
  const node = testNode({
    haAddresses: [{ address: "10.0.0.4", family: 4, prefixLength: 24, interfaceName: undefined }],
  });
  const needs = { status: { read: status }, node, log: recordingLog() };
  const observer = makePlugin(plugin, { ...options }, needs);
  observers.push(observer);
  return observer;
}

async function started(...given: Parameters<typeof make>): Promise<Observer> {
  const observer = make(...given);
  await observer.start();
  return observer;
}

const portOf = (observer: Observer) => Number(/:(\d+)$/.exec(observer.describe())?.[1]);

interface Scraped {
  readonly status: number | undefined;
  readonly type: string | undefined;
  readonly body: string;
}

function scrape(observer: Observer, accept?: string, path = "/metrics", method = "GET"): Promise<Scraped> {
  return new Promise((resolve, reject) => {
    const headers = accept === undefined ? {} : { accept };
    const request = get(
      { host: "127.0.0.1", port: portOf(observer), path, method, headers, agent: false },
      (response) => {
        let body = "";
        response.on("data", (chunk: Buffer) => {
          body += chunk;
        });
        response.on("end", () =>
          resolve({ status: response.statusCode, type: response.headers["content-type"], body }),
        );
      },
    );
    request.on("error", reject);
  });
}

async function parsed(observer: Observer, format: Format = "text"): Promise<Parsed> {
  const accept =
    format === "openmetrics" ? "application/openmetrics-text;version=1.0.0,*/*;q=0.1" : undefined;
  return parse((await scrape(observer, accept)).body, format);
}

async function takenPort(): Promise<{ readonly port: number; free(): Promise<void> }> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  servers.push(server);
  return {
    port: (server.address() as AddressInfo).port,
    free: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

observerConformance({
  name: "prometheus",
  countsOnly: true,
  async make() {
    const observer = make();
    const seen = async () => {
      const { samples } = await parsed(observer);
      return Array.from({ length: samples.get("understudy_timeline_entries_total") ?? 0 }, () => "one");
    };
    return { observer, seen, dispose() {} };
  },
  async makeBroken() {
    const { port } = await takenPort();
    return { observer: make({ listen: `127.0.0.1:${port}` }), seen: () => [], dispose() {} };
  },
});

for (const format of ["text", "openmetrics"] as const) {
  test(`${format}: a strict parser reads everything, with units and endings as they should be`, async () => {
    const { types, samples } = await parsed(await started(), format);
    for (const [name, type] of types) {
      assert.match(name, /^understudy_[a-z_]+$/);
      assert.doesNotMatch(name, /_(ms|milliseconds|total|percent)$/, name);
      if (type === "gauge") assert.ok(![...samples.keys()].some((key) => key.startsWith(`${name}_total`)));
    }
    assert.equal(samples.get('understudy_role{role="active"}'), 1);
    assert.equal(samples.get('understudy_role{role="standby"}'), 0);
    assert.equal(samples.get('understudy_peer_role{role="standby"}'), 1);
    assert.equal(samples.get("understudy_role_duration_seconds"), 1.5);
    assert.equal(samples.get('understudy_path_latency_seconds{path="udp",class="client"}'), 0.000125);
    assert.equal(samples.get('understudy_path_up{path="serial",class="private"}'), 0);
    assert.equal(samples.get('understudy_protection_in_force{protection="hardware-watchdog"}'), 0);
    assert.equal(samples.get('understudy_alarm{alarm="PATH_DEGRADED"}'), 1);
    assert.equal(samples.get('understudy_sessions_acknowledged_total{durability="solo"}'), 1);
    assert.equal(samples.get("understudy_replication_unconfirmed_changes"), 2);
    assert.equal(samples.get('understudy_process_cpu_seconds_total{process="pulse"}'), 2.5);
    assert.ok(
      [...samples.keys()].some((key) => key.includes('node="al\\"pha\\\\"')),
      "labels are escaped",
    );
  });
}

test("what is not known has no series, and is never zero", async () => {
  const unknown = { ...view, pulse: undefined, sessions: undefined };
  const { samples } = await parsed(await started(undefined, () => unknown));
  assert.equal(samples.get("understudy_pulse_up"), 0);
  for (const name of ["understudy_role", "understudy_sessions", "understudy_epoch"])
    assert.ok(![...samples.keys()].some((key) => key.startsWith(name)), name);
  const { samples: known } = await parsed(await started());
  assert.ok(!known.has('understudy_path_latency_seconds{path="serial",class="private"}'));
  assert.ok(!known.has("understudy_config_equal"));
});

test("takeovers and role changes are counted from the timeline, dropped entries included", async () => {
  const observer = await started();
  for (const to of ["claiming", "active", "releasing", "standby", "claiming", "active"])
    await observer.observe(timelineEntry({ kind: "role", details: { from: "x", to } }));
  await observer.observe(timelineEntry({ kind: "alarm", details: { droppedBefore: 5 } }));
  const { samples } = await parsed(observer);
  assert.equal(samples.get("understudy_takeovers_total"), 2);
  assert.equal(samples.get('understudy_role_changes_total{role="standby"}'), 1);
  assert.equal(samples.get("understudy_timeline_entries_total"), 12);
});

test("the format is the one that is asked for, and nothing but /metrics is answered", async () => {
  const observer = await started();
  const browser = await scrape(observer, "text/html,*/*");
  assert.deepEqual([browser.status, browser.type], [200, "text/plain; version=0.0.4; charset=utf-8"]);
  const open = await scrape(observer, "application/openmetrics-text; version=1.0.0");
  assert.match(open.type ?? "", /^application\/openmetrics-text; version=1\.0\.0/);
  assert.equal((await scrape(observer, undefined, "/")).status, 404);
  assert.equal((await scrape(observer, undefined, "/metrics?x=1")).status, 200);
  assert.equal((await scrape(observer, undefined, "/metrics", "POST")).status, 405);
});

test("a status that cannot be read is an answer, not the end of the node", async () => {
  const observer = await started(undefined, () => {
    throw new Error("not yet");
  });
  assert.equal((await scrape(observer)).status, 500);
});

test("scrapers that connect and say or read nothing hold nobody up", async () => {
  const observer = await started();
  const idle = Array.from({ length: 8 }, () => connect(portOf(observer), "127.0.0.1"));
  await Promise.all(idle.map((socket) => new Promise((resolve) => socket.once("connect", resolve))));
  for (const socket of idle)
    socket.on("error", () => {}).write("GET /metrics HTTP/1.1\r\nhost: x\r\n\r\nGET");
  assert.equal((await scrape(observer)).status, 200);
  await observer.observe(timelineEntry());
  // Ends at once although they are still connected.
  await observer.stop();
  const cutOff = idle.map((socket) => new Promise((resolve) => socket.once("close", resolve)));
  for (const socket of idle) socket.resume();
  await Promise.all(cutOff);
});

test("a port that somebody has is named in status, and keeps nothing from starting", async () => {
  const { port } = await takenPort();
  const observer = await started({ listen: `127.0.0.1:${port}` });
  assert.match(observer.describe(), new RegExp(`not listening on 127\\.0\\.0\\.1:${port}: EADDRINUSE`));
  await observer.observe(timelineEntry());
});

test("node stands for the first address of this node", async () => {
  const observer = await started({ listen: "node:0" });
  assert.match(observer.describe(), /^\/metrics on 127\.0\.0\.1:\d+$/);
  assert.equal((await scrape(observer)).status, 200);
});

test("the HA address is refused, and so is what is no address and port", async () => {
  const observer = await started({ listen: "10.0.0.4:9640" });
  assert.match(observer.describe(), /10\.0\.0\.4 is the HA address/);
  for (const listen of ["9640", "localhost:9640", "127.0.0.1:99999", "::1:9640", ""])
    assert.equal(plugin.config.safeParse({ listen }).success, false, listen);
  assert.deepEqual(plugin.config.parse({}), { listen: { address: "127.0.0.1", port: 9640 } });
});

test("the alert rules ask only for metrics and labels that there are", async () => {
  const { samples } = await parsed(await started());
  const rules = readFileSync(join(import.meta.dirname, "../../alerts.yaml"), "utf8");
  const asked = [...rules.matchAll(/\b(understudy_[a-z_]+)(?:\{([a-z]+)=)?/g)].filter(
    ([, name]) => name !== "understudy_node_info",
  );
  assert.ok(asked.length > 8);
  for (const [, name, labelName] of asked) {
    const series = [...samples.keys()].filter((key) => key === name || key.startsWith(`${name}{`));
    assert.ok(series.length > 0, name);
    if (labelName !== undefined)
      assert.ok(
        series.every((key) => key.includes(`${labelName}="`)),
        name,
      );
  }
});
