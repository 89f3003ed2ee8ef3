/** The plugin `sqlite`: the session database in one SQLite file. */

import { isAbsolute, join } from "node:path";
import { capabilities, definePlugin, z } from "@understudy/core/public";
import { createSqliteStore } from "./sqlite-store.js";

const mebibyte = 1024 * 1024;

export default definePlugin({
  name: "sqlite",
  kind: "store",
  config: z.strictObject({
    path: z
      .string()
      .refine(isAbsolute, "must be an absolute path")
      .optional()
      .describe(
        "The database file, absolute; its folder must exist. Default: sessions.db in the state folder.",
      ),
    ballastMiB: z
      .int()
      .min(4)
      .max(1024)
      .default(4)
      .describe("Room kept for ending sessions on a full disk, mebibytes. Default: 4."),
  }),
  needs: { folders: capabilities.folders },
  create: ({ path, ballastMiB }, { folders }) =>
    createSqliteStore({
      path: path ?? join(folders.state, "sessions.db"),
      ballastBytes: ballastMiB * mebibyte,
    }),
});
