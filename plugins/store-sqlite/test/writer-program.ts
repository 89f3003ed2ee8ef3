/** Commits groups for ever and says after each how many rows are durable; killed by the test in the middle of it. */

import { writeSync } from "node:fs";
import { setImmediate } from "node:timers/promises";
import { rowOf } from "@understudy/core/conformance/session-rows";
import { storeAt } from "./stores.js";

const [path = "", groupText = "16", groupsText = "Infinity"] = process.argv.slice(2);
const group = Number(groupText);
const store = storeAt(path);
store.open();
let written = store.size().running;
for (let groups = 0; groups < Number(groupsText); groups += 1) {
  store.begin();
  for (let row = 0; row < group; row += 1) {
    written += 1;
    store.put(rowOf(written));
  }
  store.setMeta("written", String(written));
  store.commit();
  // Synchronous: what was said is in the pipe, whatever happens to this process next.
  writeSync(1, `${written}\n`);
  await setImmediate();
}
store.close();
