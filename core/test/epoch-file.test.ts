/** What pulse remembers: a torn write costs nothing that was durable, and a wrong file is said, never taken for new. */

import assert from "node:assert/strict";
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { openEpochFile } from "../src/pulse/epoch-file.js";
import { slotBytes } from "../src/pulse/epoch-slot.js";

let folder = "";
let made = 0;
before(() => {
  folder = mkdtempSync(join(tmpdir(), "understudy-epoch-"));
});
after(() => rmSync(folder, { recursive: true, force: true }));

function newPath(): string {
  made += 1;
  return join(folder, `epoch-${made}`);
}

const owner = "tlha/one";
const maintenance = { maintenance: true, preference: { side: "secondary", version: 4 } } as const;

async function written(path: string): Promise<void> {
  const file = await openEpochFile(path, owner);
  await file.writeEpoch(7);
  await file.writeIntents(maintenance);
  await file.close();
}

test("a missing file is a new disk, and what was written is there after a restart", async () => {
  const path = newPath();
  const file = await openEpochFile(path, owner);
  assert.equal(file.initial.epoch, 0);
  assert.deepEqual(file.initial.intents, {
    maintenance: false,
    preference: { side: undefined, version: 0 },
  });
  await Promise.all([file.writeEpoch(3), file.writeIntents(maintenance), file.writeEpoch(5)]);
  await file.writeEpoch(4);
  await file.close();
  const again = await openEpochFile(path, owner);
  assert.equal(again.initial.epoch, 5, "the epoch never goes back");
  assert.deepEqual(again.initial.intents, maintenance);
  assert.equal(again.damage, undefined);
  await again.close();
});

test("the file has its full length from the first moment, so a full disk cannot refuse a write", async () => {
  const path = newPath();
  await (await openEpochFile(path, owner)).close();
  assert.equal(readFileSync(path).length, 2 * slotBytes);
  await written(path);
  assert.equal(readFileSync(path).length, 2 * slotBytes);
});

test("a write torn anywhere leaves the value before it", async () => {
  const path = newPath();
  await written(path);
  const whole = readFileSync(path);
  for (let torn = 0; torn < 200; torn += 7) {
    writeFileSync(path, whole);
    const file = await openEpochFile(path, owner);
    const { generation } = file.initial;
    await file.writeEpoch(9);
    await file.close();
    const after = readFileSync(path);
    const slot = whole.compare(after, 0, slotBytes, 0, slotBytes) === 0 ? 1 : 0;
    const mixed = Buffer.from(whole);
    after.copy(mixed, slot * slotBytes, slot * slotBytes, slot * slotBytes + torn);
    writeFileSync(path, mixed);
    const again = await openEpochFile(path, owner);
    assert.ok(again.initial.generation === generation || again.initial.epoch === 9, `torn at ${torn}`);
    assert.ok(again.initial.epoch >= 7);
    assert.deepEqual(again.initial.intents, maintenance);
    // And it goes on from there: the next write repairs the torn slot.
    await again.writeEpoch(11);
    await again.close();
    const repaired = await openEpochFile(path, owner);
    assert.deepEqual([repaired.initial.epoch, repaired.damage], [11, undefined]);
    await repaired.close();
  }
});

test("a corrupt newest slot is said, and the other one used", async () => {
  const path = newPath();
  await written(path);
  const file = await openEpochFile(path, owner);
  const newest = file.initial.generation % 2 === 1 ? 0 : 1;
  await file.close();
  corrupt(path, newest * slotBytes + 20);
  const again = await openEpochFile(path, owner);
  assert.match(again.damage ?? "", /does not verify/);
  assert.equal(again.initial.epoch, 7);
  assert.equal(again.initial.intents.maintenance, false);
  await again.close();
});

test("a file without a sound slot is refused, not taken for a new disk", async () => {
  for (const content of [Buffer.alloc(0), Buffer.alloc(2 * slotBytes), Buffer.from("epoch 7")]) {
    const path = newPath();
    writeFileSync(path, content);
    await assert.rejects(openEpochFile(path, owner), { code: "EPOCH_FILE_CORRUPT" });
  }
});

test("the file of another node is refused, as is a folder that is not there", async () => {
  const path = newPath();
  await written(path);
  await assert.rejects(openEpochFile(path, "tlha/two"), { code: "EPOCH_FILE_FOREIGN" });
  await assert.rejects(openEpochFile(join(folder, "no", "epoch"), owner), { code: "EPOCH_FILE_UNREADABLE" });
});

function corrupt(path: string, position: number): void {
  const file = openSync(path, "r+");
  writeSync(file, Buffer.from("#"), 0, 1, position);
  closeSync(file);
}
