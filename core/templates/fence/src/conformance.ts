/** How the suite for fences gets instances, and plays the device: see "understudy plugin test". */

import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { makePlugin, recordingLog, testNode } from "@understudy/core/conformance/capabilities";
import type { FenceSuite } from "@understudy/core/conformance/fence";
import plugin from "./plugin.ts";

export { plugin };

export const conformance: FenceSuite = {
  name: "@@NAME@@",
  // Set this when it has a `check`: whether the device could be used now.
  checks: false,
  async make() {
    const folder = await mkdtemp(join(tmpdir(), "fence-"));
    const behave = (script: string) => writeFile(join(folder, "device"), `${script}\n`);
    const works = `touch '${join(folder, "off")}'`;
    await behave(works);
    const command = ["sh", join(folder, "device")];
    return {
      fence: makePlugin(plugin, { command }, { node: testNode(), log: recordingLog() }),
      switchedOff: () => existsSync(join(folder, "off")),
      refuse: () => behave("echo 'wrong password' >&2; exit 1"),
      hang: () => behave("sleep 300"),
      heal: () => behave(works),
      dispose: () => rm(folder, { recursive: true }),
    };
  },
};
