/** Status of a whole pulse whose every second never comes: what the timeline names must be shown all the same. */

import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { until } from "../src/conformance/until.js";
import { connectNode, makeAddress, makeWire, startTestPulse } from "./pulse-kit.js";

test("R4: what no decision shows follows its entry in the timeline at once", async (t) => {
  t.mock.timers.enable({ apis: ["setInterval"] });
  const folder = mkdtempSync(join(tmpdir(), "understudy-status-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const address = makeAddress();
  let inForce = true;
  const protections = () => [{ name: "kernel-lease", inForce, detail: "of memory" }];
  const pulse = await startTestPulse({
    side: "primary",
    folder,
    wire: makeWire(),
    address: { ...address, backend: { ...address.backend, protections } },
    transports: [
      { name: "udp", class: "client", transport: makeWire().ends.primary },
      { name: "mqtt", class: "out-of-band", transport: undefined },
    ],
  });
  const node = connectNode(join(folder, "primary"));
  try {
    const lease = () => node.status?.protections.find(({ name }) => name === "kernel-lease")?.inForce;
    const serves = () =>
      node.status?.role === "active" && node.entries.some(({ kind }) => kind === "services");
    await until("it serves, and status says so", serves);
    assert.equal(lease(), true);
    inForce = false;
    address.reports?.protectionsChanged("somebody flushed the table");
    await until("status shows the protection that is gone", () => lease() === false);
    assert.ok(node.entries.some(({ what }) => what === "somebody flushed the table"));
    node.send({ type: "pathDescription", path: "mqtt", description: "down, it refused the password" });
    const shown = () =>
      node.status?.paths.some(({ description }) => /refused the password/.test(description));
    await until("status shows the path in its new words", () => shown() === true);
  } finally {
    node.close();
    await pulse.pulse.abandon();
  }
});
