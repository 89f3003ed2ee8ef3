/** How the suite for arbiters gets instances, and takes away what they ask: see "understudy plugin test". */

import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ArbiterSuite } from "@understudy/core/conformance/arbiter";
import { makePlugin } from "@understudy/core/conformance/capabilities";
import plugin from "./plugin.ts";

export { plugin };

export const conformance: ArbiterSuite = {
  name: "@@NAME@@",
  exclusive: false,
  // It looks at the world and asks nobody: what it does not find, it denies.
  whenCutOff: "denied",
  async make() {
    const folder = await mkdtemp(join(tmpdir(), "arbiter-"));
    const path = join(folder, "sign");
    await writeFile(path, "");
    return {
      of: () => makePlugin(plugin, { path }, {}),
      cutOff: () => rm(path),
      heal: () => writeFile(path, ""),
      dispose: () => rm(folder, { recursive: true }),
    };
  },
};
