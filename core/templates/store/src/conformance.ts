/** How the suite for session stores gets instances over the files of a folder: see "understudy plugin test". */

import { makePlugin } from "@understudy/core/conformance/capabilities";
import type { StoreSuite } from "@understudy/core/conformance/store";
import plugin from "./plugin.ts";

export { plugin };

export const conformance: StoreSuite = {
  name: "@@NAME@@",
  make: (folder) => makePlugin(plugin, {}, { folders: { state: folder, run: folder } }),
};
