/** The SQLite store against the suite every session store must pass. */

import { join } from "node:path";
import { storeConformance } from "@understudy/core/conformance/store";
import { createSqliteStore } from "../src/sqlite-store.js";

storeConformance({
  name: "sqlite",
  make: (folder) => createSqliteStore({ path: join(folder, "sessions.db"), ballastBytes: 4 * 1024 * 1024 }),
});
