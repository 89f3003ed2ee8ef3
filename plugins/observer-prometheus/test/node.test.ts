/** A real node process with this observer: its own status arrives in the metrics, here while pulse is not there. */

import assert from "node:assert/strict";
import { execFile, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { enterPrivateNetwork } from "@understudy/core/conformance/private-network";
import { until } from "@understudy/core/conformance/until";
import { parse } from "./parser.js";

enterPrivateNetwork(import.meta.url);
execFileSync("ip", ["addr", "add", "10.98.2.2/24", "dev", "lo"]);

const program = join(import.meta.dirname, "../../../../core/bin/understudy.js");

test("the metrics of a running node are its status", async () => {
  const folder = mkdtempSync(join(tmpdir(), "usp-"));
  const config = join(folder, "understudy.yaml");
  const understudy = (...args: readonly string[]) => [program, "--config", config, ...args];
  const pair = ["--primary", "one=10.98.2.2", "--secondary", "two=10.98.2.3", "--address", "10.98.2.4/24"];
  execFileSync(
    process.execPath,
    understudy("init", "--cluster", "lab", ...pair, "--key", join(folder, "key")),
  );
  mkdirSync(join(folder, "state"));
  writeFileSync(
    config,
    `cluster: lab
nodes: { one: 10.98.2.2, two: 10.98.2.3 }
haAddress: 10.98.2.4/24
sessions: none
observers: [ { plugin: prometheus, listen: "node:0" } ]
keyFile: ${folder}/key
folders: { state: ${folder}/state, run: ${folder}/run }
`,
  );
  const node = spawn(process.execPath, understudy("node"), { stdio: ["ignore", "ignore", "inherit"] });
  try {
    let url = "";
    await until("status says where the metrics are", async () => {
      const shown = await new Promise<string>((resolve) => {
        execFile(process.execPath, understudy("status", "--json"), (_, out) => resolve(out));
      });
      const found = /\/metrics on ([0-9.]+:\d+)/.exec(shown)?.[1];
      url = `http://${found}/metrics`;
      return found !== undefined;
    });
    const { samples } = parse(await (await fetch(url)).text(), "text");
    const info = [...samples.keys()].find((key) => key.startsWith("understudy_node_info"));
    assert.match(info ?? "", /cluster="lab",node="one",side="primary"/);
    assert.equal(samples.get("understudy_pulse_up"), 0);
    assert.ok((samples.get("understudy_timeline_entries_total") ?? 0) > 0);
    assert.ok((samples.get('understudy_process_resident_memory_bytes{process="node"}') ?? 0) > 1e7);
  } finally {
    node.kill("SIGTERM");
    await once(node, "exit");
    rmSync(folder, { recursive: true, force: true });
  }
});
