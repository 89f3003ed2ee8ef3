/** A disk that is really full: a small file system in memory, in a mount namespace of its own (rule R22). */

import assert from "node:assert/strict";
import { test } from "node:test";
import { ballastBytes, folderFor, onSmallDisk } from "./stores.js";

interface Report {
  readonly afterFull: Readonly<Record<string, unknown>> & { readonly committed: number };
  readonly ended: number;
  readonly reopened: { readonly opening: unknown; readonly ended: number; readonly refusesNew: unknown };
  readonly removed: number;
  readonly last: { readonly roomAgain: boolean; readonly ballast: number; readonly found: unknown };
}

test("on a full disk sessions can be read and ended, new ones wait for room", (context) => {
  const report = onSmallDisk(folderFor(context), 24, "disk-full-program") as Report;
  const { afterFull, reopened, last } = report;
  assert.ok(afterFull.committed > 1000, "the disk was filled by sessions");
  assert.equal(afterFull.kind, "full");
  assert.ok(Number(afterFull.ballastBefore) >= ballastBytes, "the ballast takes room, not just length");
  assert.equal(afterFull.ballastAfter, false);
  assert.equal(afterFull.running, afterFull.committed);
  assert.equal(afterFull.readable, true);
  assert.equal(afterFull.lastGroupAbsent, true);
  assert.match(String(afterFull.description), /disk is full/);
  assert.equal(afterFull.refusesNew, "full");
  assert.equal(report.ended, afterFull.committed, "every session could be ended");
  assert.deepEqual(reopened.opening, { found: true });
  assert.equal(reopened.ended, afterFull.committed);
  assert.equal(report.removed, afterFull.committed);
  assert.equal(last.roomAgain, true);
  assert.equal(last.ballast, ballastBytes);
  assert.ok(last.found);
});
