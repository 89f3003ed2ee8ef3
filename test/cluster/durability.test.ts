/**
 * `replicated` means durable on both disks (G3, R20): an answer waits for the flush on either side. A SIGKILL proves nothing
 * of this, since the page cache survives it; so the flushes themselves are watched, and slowed down to see who waits.
 */

import assert from "node:assert/strict";
import { test } from "node:test";
import { sides } from "../lab/pair.js";
import { traceCalls } from "../lab/trace.js";
import { type Broker, brokerServices, patientReplication, startBroker, untilReplicated } from "./broker.js";
import { withPair } from "./fixture.js";

/** Less than the silence after which the active would answer alone. */
const delayMs = 300;
const flushes = "fsync,fdatasync";

/** One create: how long its answer took, and what it was. */
async function timed(broker: Broker, user: string) {
  const answer = await broker.createOnce(user, `key-${user}`);
  assert.equal(answer.status, 201, JSON.stringify(answer));
  const { acknowledgement } = answer.body as { acknowledgement: string };
  return { acknowledgement, tookMs: answer.answeredMs - answer.sentMs };
}

test("G3 R20: a create is answered as replicated only after a flush on the active and one on the standby", async () => {
  await withPair({ config: { services: brokerServices, replication: patientReplication } }, async (pair) => {
    const broker = await startBroker(pair);
    await untilReplicated(pair, broker, "before");
    for (const side of sides) {
      const pid = pair.node(side).pid("node");
      assert.ok(pid !== undefined);
      const trace = await traceCalls(pid, [
        "-e",
        `trace=${flushes}`,
        "-e",
        `inject=${flushes}:delay_enter=${delayMs}ms`,
      ]);
      const made = await timed(broker, `slow-${side}`);
      assert.equal(made.acknowledgement, "replicated", `with a slow flush on the ${side}`);
      assert.ok(
        made.tookMs >= delayMs,
        `the answer has waited for the flush on the ${side}: it came after ${made.tookMs} ms`,
      );
      await trace.stop();
      const done = trace.lines().filter((line) => /f(data)?sync.*= 0/.test(line));
      assert.ok(done.length > 0, `the flush on the ${side} succeeded: ${trace.lines().join("\n")}`);
      await pair.settled("primary");
      await untilReplicated(pair, broker, `after-${side}`);
    }
  });
});

test("G3: a create that no disk can flush is never acknowledged", async () => {
  await withPair({ config: { services: brokerServices } }, async (pair) => {
    const broker = await startBroker(pair);
    await untilReplicated(pair, broker, "before");
    await pair.losePower("secondary");
    assert.equal((await broker.create("alone")).acknowledgement, "solo");
    const pid = pair.node("primary").pid("node");
    assert.ok(pid !== undefined);
    const trace = await traceCalls(pid, ["-e", `trace=${flushes}`, "-e", `inject=${flushes}:error=EIO`]);
    const answer = await broker.createOnce("unflushed", "key-unflushed");
    assert.notEqual(answer.status, 201, JSON.stringify(answer.body));
    assert.notEqual(answer.status, 200, JSON.stringify(answer.body));
    await pair.waitFor(
      async () => (await pair.node("primary").status())?.sessions?.store === false,
      "status says that the store does not work",
    );
    await trace.stop();
    const made = await broker.create("flushed-again");
    assert.equal(made.acknowledgement, "solo", "with a disk that works again sessions are taken again");
  });
});
