/** The status that plugins may read: what it says of a node, with and without pulse, and that it is not there too early. */

import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { createStatusSource } from "../src/node/status-view.js";
import { closeTestNodes, pulseStatus, startTestNode, until } from "./node-kit.js";

afterEach(closeTestNodes);

test("a plugin reads how the node is, in the shape that is promised to it", async () => {
  const source = createStatusSource();
  assert.throws(() => source.read(), /before the node was built/);
  const { pulse } = await startTestNode({ parts: () => ({ statusSource: source }) });
  const first = source.read();
  assert.deepEqual([first.node, first.cluster, first.side], ["alpha", "lab", "primary"]);
  assert.equal(first.pulse, undefined, "not known before pulse was heard");
  assert.equal(first.sessions, undefined);
  assert.ok(first.process.rssBytes > 0);

  await until(() => pulse.isConnected, "node is connected");
  const alarm = { code: "PEER_DEAD", detail: "for a test", sinceMs: 1 } as const;
  pulse.send({
    type: "status",
    status: pulseStatus({ atMs: 5000, roleSinceMs: 2000, alarms: [alarm], epoch: 9 }),
  });
  await until(() => source.read().pulse !== undefined, "the status of pulse");
  const view = source.read().pulse;
  assert.deepEqual(view?.alarms, [{ code: "PEER_DEAD", detail: "for a test" }]);
  assert.deepEqual([view?.role, view?.epoch, view?.roleForMs], ["standby", 9, 3000]);
  assert.deepEqual(view?.peer, { alive: true, role: "active", inSync: true, configEqual: true });
});
