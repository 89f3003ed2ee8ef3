/** Opens a store under circumstances that the test has made, and reports as JSON how it went. */

import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { rowOf } from "@understudy/core/conformance/session-rows";
import { StoreFailure, UnderstudyError } from "@understudy/core/public";
import { putAll, storeAt } from "./stores.js";

const [folder = "", how] = process.argv.slice(2);
const path = join(folder, "sessions.db");

function attempt(): string {
  try {
    const store = storeAt(path);
    store.open();
    store.close();
    return "opened";
  } catch (error) {
    if (error instanceof UnderstudyError) return error.code;
    if (error instanceof StoreFailure) return error.kind;
    throw error;
  }
}

if (how === "read-only") {
  const store = storeAt(path);
  store.open();
  putAll(store, [rowOf(1)]);
  store.close();
  execFileSync("mount", ["-o", "remount,ro", folder]);
  const readOnly = attempt();
  execFileSync("mount", ["-o", "remount,rw", folder]);
  console.log(JSON.stringify({ readOnly, after: attempt() }));
} else {
  console.log(JSON.stringify({ outcome: attempt() }));
}
