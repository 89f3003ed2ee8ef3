/** A thread that ends without closing its store, in the middle of a transaction: as the session thread does when it fails. */

import { workerData } from "node:worker_threads";
import { rowOf } from "@understudy/core/conformance/session-rows";
import { putAll, storeAt } from "./stores.js";

const store = storeAt(workerData.path);
store.open();
putAll(store, [rowOf(store.size().running + 1)]);
store.begin();
store.put(rowOf(1000));
process.exit(1);
