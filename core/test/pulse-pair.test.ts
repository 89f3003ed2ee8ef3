/** Two pulses with the real decision core, loop and files over a wire of memory: who claims, who stands by, what is said. */

import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { until } from "../src/conformance/until.js";
import { claimToken } from "../src/heartbeat/claim-token.js";
import { recordingFolder } from "../src/pulse/compose.js";
import { openEpochFile } from "../src/pulse/epoch-file.js";
import { replayRecording } from "../src/pulse/replay.js";
import { testKey, testRing } from "./beat-kit.js";
import {
  connectNode,
  type FakeNode,
  localConfig,
  makeAddress,
  makeWire,
  startTestPulse,
  type TestPulse,
} from "./pulse-kit.js";

let folder = "";
let made = 0;
before(() => {
  folder = mkdtempSync(join(tmpdir(), "understudy-pulse-"));
});
after(() => rmSync(folder, { recursive: true, force: true }));

function newFolder(): string {
  made += 1;
  return join(folder, String(made));
}

const roles = (...pulses: readonly TestPulse[]) => pulses.map(({ pulse }) => pulse.state.role).join(" ");

interface Pair {
  readonly folder: string;
  readonly wire: ReturnType<typeof makeWire>;
  readonly one: TestPulse;
  readonly two: TestPulse;
  readonly nodes: readonly [FakeNode, FakeNode];
  close(): Promise<void>;
}

async function startPair(own = newFolder()): Promise<Pair> {
  const wire = makeWire();
  const one = await startTestPulse({ side: "primary", folder: own, wire });
  // The primary is whole before the secondary comes: the healthier one would serve first.
  const first = connectNode(join(own, "primary"));
  await until("the primary has its node process", () => one.pulse.state.nodeUp);
  const two = await startTestPulse({ side: "secondary", folder: own, wire });
  const nodes = [first, connectNode(join(own, "secondary"))] as const;
  return {
    folder: own,
    wire,
    one,
    two,
    nodes,
    async close() {
      for (const node of nodes) node.close();
      await Promise.all([one.pulse.abandon(), two.pulse.abandon()]);
    },
  };
}

/** Both node processes are there too: a standby without one is not asked to take over. */
const settled = ({ one, two }: Pair) =>
  until(
    "the primary serves, the secondary stands by, both whole",
    () => roles(one, two) === "active standby" && one.pulse.state.nodeUp && two.pulse.state.nodeUp,
  );

test("one claims, the other stands by; it claims when the first is dead, by the recorded reasons", async () => {
  const pair = await startPair();
  const { one, two, nodes } = pair;
  try {
    await settled(pair);
    assert.equal(one.address.calls[0], "start", "R6: the address first");
    assert.ok(one.address.held && !two.address.held);
    assert.equal(one.pulse.state.epoch, 1);
    await until("the services are promoted", () => nodes[0].received.some(({ type }) => type === "promote"));
    await until("node may acknowledge", () => nodes[0].received.some(({ type }) => type === "permit"));
    await until("the standby hears both ways", () => two.pulse.status().paths[0]?.twoWay === true);
    await one.pulse.abandon();
    await until("the secondary serves", () => roles(two) === "active");
    assert.equal(two.pulse.state.epoch, 2);
    assert.ok(two.address.held);
    const tokens = two.address.armed.map(({ token }) => Buffer.from(token).toString("hex"));
    assert.ok(tokens.includes(Buffer.from(claimToken(testKey(1), "lab", 3)).toString("hex")), "R5");
    await until("the timeline says why", () =>
      nodes[1].entries.some(({ kind, what }) => kind === "role" && /the active node is dead/.test(what)),
    );
  } finally {
    await pair.close();
  }
  const replay = await replayRecording(recordingFolder(join(pair.folder, "secondary")));
  assert.equal(replay.divergence, undefined);
  assert.equal(replay.damagedLines, 0);
  const changes = replay.records.filter(({ kind }) => kind === "role").map(({ what }) => what.split(":")[0]);
  assert.deepEqual(
    changes,
    ["joining -> joining", "joining -> standby", "standby -> claiming", "claiming -> active"].slice(
      -changes.length,
    ),
  );
  const file = await openEpochFile(join(pair.folder, "secondary", "epoch"), "lab/two");
  assert.equal(file.initial.epoch, 2, "R16: written down");
  await file.close();
});

test("R12: a pulse that is asked to end releases first, and its goodbye spares the other the dead time", async () => {
  const pair = await startPair();
  const { one, two } = pair;
  try {
    await settled(pair);
    one.pulse.stop();
    await one.pulse.ended;
    assert.deepEqual(one.address.calls.slice(-2), ["release", "stop"]);
    await until("the secondary serves", () => roles(two) === "active");
    assert.match(two.pulse.state.reason, /gave the address up/);
  } finally {
    await pair.close();
  }
});

test("an address that the kernel refuses is given up again, and an alarm says so", async () => {
  // Refused from the first moment: a slow start may be long enough for it to serve alone.
  const address = Object.assign(makeAddress(), { answer: "refused" });
  const own = newFolder();
  const one = await startTestPulse({ side: "primary", folder: own, wire: makeWire(), address });
  const node = connectNode(join(own, "primary"));
  try {
    await until("an alarm", () => one.pulse.status().alarms.some(({ code }) => code === "ADDRESS_REFUSED"));
    const acquired = address.calls.findIndex((call) => call.startsWith("acquire"));
    await until("it is released", () => address.calls.indexOf("release", acquired) > acquired);
    assert.equal(address.held, false);
  } finally {
    node.close();
    await one.pulse.abandon();
  }
});

test("a node process that goes is noticed at once, and the next one is promoted again", async () => {
  const own = newFolder();
  const one = await startTestPulse({ side: "primary", folder: own, wire: makeWire() });
  const node = connectNode(join(own, "primary"));
  try {
    await until("it serves alone", () => roles(one) === "active");
    await until("the services are promoted", () => node.received.some(({ type }) => type === "promote"));
    node.close();
    await until("pulse knows", () => !one.pulse.state.nodeUp);
    const back = connectNode(join(own, "primary"));
    await until("it is promoted again", () => back.received.some(({ type }) => type === "promote"));
    await until("status comes", () => back.status?.role === "active");
    assert.ok(back.status?.protections.some(({ name, inForce }) => name === "kernel-lease" && inForce));
    back.close();
  } finally {
    node.close();
    await one.pulse.abandon();
  }
});

test("R26: what the operator asks for is answered, and outlives a restart", async () => {
  const pair = await startPair();
  const { two, nodes } = pair;
  try {
    await settled(pair);
    nodes[1].send({
      type: "operator",
      requestId: "m1",
      request: { kind: "maintenance", on: true, force: false },
    });
    await until("an answer", () =>
      nodes[1].received.some(
        (message) => message.type === "operatorAnswer" && message.requestId === "m1" && message.ok,
      ),
    );
    assert.equal(roles(two), "maintenance");
    await two.pulse.abandon();
    const again = await startTestPulse({ side: "secondary", folder: pair.folder, wire: pair.wire });
    const role = roles(again);
    await again.pulse.abandon();
    assert.equal(role, "maintenance");
  } finally {
    await pair.close();
  }
});

test("R29: a rotated key is signed with and both are accepted; a stranger's key raises an alarm", async () => {
  const own = newFolder();
  const wire = makeWire();
  let ring = testRing(1);
  const one = await startTestPulse({ side: "primary", folder: own, wire, readKeys: () => ring });
  const two = await startTestPulse({
    side: "secondary",
    folder: own,
    wire,
    keyRing: testRing(1, 2),
  });
  const node = connectNode(join(own, "primary"));
  try {
    await until("node is connected", () => one.pulse.state.nodeUp);
    await until("key 1 is heard", () => two.pulse.status().peerKeys?.includes(1) === true);
    ring = testRing(2, 1);
    node.send({ type: "keysChanged" });
    await until("key 2 is heard", () => two.pulse.status().peerKeys?.includes(2) === true);
    assert.equal(one.pulse.status().peer.alive, true);
    ring = testRing(3);
    node.send({ type: "keysChanged" });
    await until("foreign beats are noticed", () =>
      two.pulse.status().alarms.some(({ code }) => code === "FOREIGN_BEATS"),
    );
    assert.match(two.pulse.status().paths[0]?.description ?? "", /signed with key 3, which we lack/);
  } finally {
    node.close();
    await Promise.all([one.pulse.abandon(), two.pulse.abandon()]);
  }
});

test("R28: a changed config is taken over without an outage, one that needs a restart is refused whole", async () => {
  const own = newFolder();
  const wire = makeWire();
  let extra = "heartbeat: { profile: fast }";
  const loadConfig = async () => localConfig("primary", own, extra);
  const one = await startTestPulse({ side: "primary", folder: own, wire, loadConfig });
  const node = connectNode(join(own, "primary"));
  try {
    await until("node is connected", () => one.pulse.state.nodeUp);
    node.send({ type: "reload" });
    await until("the new interval", () => one.pulse.state.settings.intervalMs === 5);
    extra = "heartbeat: { port: 7000 }";
    node.send({ type: "reload" });
    await until("it is refused by name", () =>
      node.entries.some(({ kind, what }) => kind === "config" && /heartbeat.port/.test(what)),
    );
    assert.equal(one.pulse.state.settings.intervalMs, 5);
  } finally {
    node.close();
    await one.pulse.abandon();
  }
});

test("a second pulse on the same machine does not start, and does not touch the address", async () => {
  const own = newFolder();
  const wire = makeWire();
  const one = await startTestPulse({ side: "primary", folder: own, wire });
  try {
    const address = one.address;
    const calls = address.calls.length;
    await assert.rejects(startTestPulse({ side: "primary", folder: own, wire, address }), {
      code: "IPC_IN_USE",
    });
    assert.equal(address.calls.length, calls);
  } finally {
    await one.pulse.abandon();
  }
});
