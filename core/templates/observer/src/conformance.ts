/** How the suite for observers gets instances, and sees what reached the world: see "understudy plugin test". */

import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { makePlugin } from "@understudy/core/conformance/capabilities";
import type { ObserverFixture, ObserverSuite } from "@understudy/core/conformance/observer";
import plugin from "./plugin.ts";

export { plugin };

async function fixture(inFolder: (folder: string) => Promise<string>): Promise<ObserverFixture> {
  const folder = await mkdtemp(join(tmpdir(), "observer-"));
  const path = await inFolder(folder);
  return {
    observer: makePlugin(plugin, { path }, { folders: { state: folder, run: folder } }),
    async seen() {
      const lines = (await readFile(path, "utf8")).split("\n").filter((line) => line !== "");
      return lines.map((line) => (JSON.parse(line) as { what: string }).what);
    },
    dispose: () => rm(folder, { recursive: true }),
  };
}

export const conformance: ObserverSuite = {
  name: "@@NAME@@",
  make: () => fixture(async (folder) => join(folder, "entries.jsonl")),
  // Its way to the world is broken: where a folder should be, there is a file.
  makeBroken: () =>
    fixture(async (folder) => {
      await writeFile(join(folder, "no-folder"), "");
      return join(folder, "no-folder", "entries.jsonl");
    }),
};
