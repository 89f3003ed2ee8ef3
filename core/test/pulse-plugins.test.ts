/**
 * Nothing that is slow delays pulse's beats: a node process that is stopped, a transport that blocks. Beats are counted,
 * not timed: those that fall due while something is slow are sent.
 */

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { until } from "../src/conformance/until.js";
import type { PulseToNode } from "../src/ipc/messages.js";
import type { TimelineEntry, Transport } from "../src/plugin/contract.js";
import { createNodeLink } from "../src/pulse/node-link.js";
import type { NamedTransport } from "../src/pulse/paths.js";
import { connectNode, makeWire, startTestPulse } from "./pulse-kit.js";

let folder = "";
let made = 0;
before(() => {
  folder = mkdtempSync(join(tmpdir(), "understudy-slow-"));
});
after(() => rmSync(folder, { recursive: true, force: true }));

function newFolder(): string {
  made += 1;
  const own = join(folder, String(made));
  mkdirSync(own);
  return own;
}

/** Counts what is sent. */
function counting(transport: Transport): { readonly transport: Transport; sent: number } {
  const counted = {
    sent: 0,
    transport: {
      ...transport,
      send(frame: Uint8Array) {
        counted.sent += 1;
        transport.send(frame);
      },
    },
  };
  return counted;
}

test("the beats keep their rhythm while the node process is stopped, and its frames are dropped", async () => {
  const own = newFolder();
  const wire = makeWire();
  const udp = counting(wire.ends.primary);
  const transports: readonly NamedTransport[] = [
    { name: "udp", class: "client", transport: udp.transport },
    // As often as the others, so that much would pile up.
    { name: "mqtt", class: "out-of-band", transport: undefined },
  ];
  const { pulse } = await startTestPulse({ side: "primary", folder: own, wire, transports });
  // Somebody to hear: a busy machine may have a send look as if it blocked, and alone a hello a second is enough then.
  const peer = await startTestPulse({ side: "secondary", folder: own, wire });
  const program = fileURLToPath(new URL("./stopped-node-program.js", import.meta.url));
  const child = spawn(process.execPath, [program, join(own, "primary")], { stdio: "ignore" });
  try {
    await until("the node process is there", () => pulse.state.nodeUp);
    child.kill("SIGSTOP");
    const before = udp.sent;
    await until("fifty beats", () => udp.sent - before >= 50);
    assert.match(readFileSync(`/proc/${child.pid}/stat`, "utf8"), /\) T /, "it was stopped all the time");
    const hangs = () => pulse.state.alarms.some(({ code }) => code === "NODE_HUNG");
    await until("pulse knows that the node process hangs", hangs);
    child.kill("SIGCONT");
    await until("it answers again", () => !hangs());
  } finally {
    child.kill("SIGKILL");
    await Promise.all([pulse.abandon(), peer.pulse.abandon()]);
  }
});

test("a node process that does not read costs pulse a bounded number of bytes, and no beat waits for it", async () => {
  const path = join(newFolder(), "pulse.sock");
  const quiet = { debug() {}, info() {}, warn() {}, error() {} };
  const listeners = { message() {}, alive() {}, lost() {}, finished() {} };
  const link = createNodeLink("test", listeners, quiet);
  await link.listen(path);
  const socket = connect(path);
  let said = "";
  const frames = () =>
    said
      .split("\n")
      .filter((line) => line.includes('"sendFrame"'))
      .map((line) => (JSON.parse(line) as Extract<PulseToNode, { type: "sendFrame" }>).atMs);
  try {
    await once(socket, "connect");
    socket.on("data", (chunk: Buffer) => {
      said += chunk.toString();
    });
    await until("the greeting", () => said.includes("hello"));
    socket.pause();
    const frame = new Uint8Array(200);
    for (let atMs = 0; atMs < 20_000; atMs += 1) {
      link.frame("mqtt", frame, atMs);
      // The loop goes on, and with it the pings that this process does not answer.
      if (atMs % 100 === 0) {
        link.judged(atMs * 10, 1000);
        await new Promise((resolve) => setImmediate(resolve));
      }
    }
    for (let turn = 0; turn < 20_000; turn += 1) link.passing({ type: "permit", epoch: 1, untilMs: turn });
    socket.resume();
    await until("what waited has been read", () => said.endsWith("\n") && frames().length > 0);
    assert.ok(frames().length < 2000, `${frames().length} frames were kept for a process that does not read`);
    assert.ok(said.length < 1024 * 1024, `${said.length} bytes`);
    // It answers again: new beats pass at once.
    socket.write(`${JSON.stringify({ type: "pong", sequence: 1 })}\n`);
    let atMs = 1_000_000;
    await until("a new beat passes", () => frames().some((at) => at >= 1_000_000), {
      again: () => link.frame("mqtt", frame, ++atMs),
    });
  } finally {
    socket.destroy();
    await link.close();
  }
});

test("a transport whose send blocks is taken out by name, and the beats of the other go on", async () => {
  const own = newFolder();
  const wire = makeWire();
  const slowWire = makeWire();
  const sleeper = new Int32Array(new SharedArrayBuffer(4));
  let quickAtSlow = 0;
  const slow = counting({
    ...slowWire.ends.primary,
    send(frame) {
      quickAtSlow = quick.sent;
      Atomics.wait(sleeper, 0, 0, 40);
      slowWire.ends.primary.send(frame);
    },
  });
  const quick = counting(wire.ends.primary);
  const pathsWith = (udp: Transport, cable: Transport): readonly NamedTransport[] => [
    { name: "udp", class: "client", transport: udp },
    { name: "cable", class: "private", transport: cable },
  ];
  const one = await startTestPulse({
    side: "primary",
    folder: own,
    wire,
    transports: pathsWith(quick.transport, slow.transport),
  });
  const two = await startTestPulse({
    side: "secondary",
    folder: own,
    wire,
    transports: pathsWith(wire.ends.secondary, slowWire.ends.secondary),
  });
  const node = connectNode(join(own, "primary"));
  try {
    const line = () => one.pulse.status().paths.find(({ name }) => name === "cable")?.description ?? "";
    await until("it is taken out", () => /^taken out: its send blocked for \d+ ms/.test(line()));
    await until("the other path works", () => /tried again in/.test(line()));
    const named = (entry: TimelineEntry) =>
      entry.details.code === "PLUGIN_BLOCKS" && /path cable/.test(entry.what);
    await until("the timeline names it", () => node.entries.some(named));
    const alarm = /^the transport of path cable holds pulse up: its send blocked for \d+ ms.*report it/;
    const raised = () => one.pulse.status().alarms.find(({ code }) => code === "PLUGIN_BLOCKS")?.detail ?? "";
    await until("an alarm names it", () => alarm.test(raised()));
    // While this machine is so busy that the quick path seems lost as well, the slow one is called on: not for long.
    await until("five beats in a row on the quick path alone", () => quick.sent - quickAtSlow >= 5);
  } finally {
    node.close();
    await Promise.all([one.pulse.abandon(), two.pulse.abandon()]);
  }
});
