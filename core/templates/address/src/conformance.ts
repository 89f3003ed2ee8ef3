/** How the suite for address backends gets instances, and asks the world past them: see "understudy plugin test". */

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after } from "node:test";
import type { AddressSuite } from "@understudy/core/conformance/address";
import { makePlugin, testNode } from "@understudy/core/conformance/capabilities";
import plugin from "./plugin.ts";

export { plugin };

const haAddresses = ["10.0.0.4", "10.0.0.5"] as const;

// Only when the suite is run: a backend for a real network card would make a network of its own here, see
// @understudy/core/conformance/private-network.
export function conformance(): AddressSuite {
  const folder = mkdtempSync(join(tmpdir(), "address-"));
  after(() => rmSync(folder, { recursive: true }));
  const path = join(folder, "addresses");
  writeFileSync(path, "10.0.0.2\n");
  const lines = () =>
    readFileSync(path, "utf8")
      .split("\n")
      .filter((line) => line !== "");
  const write = (all: readonly string[]) => writeFileSync(path, all.map((line) => `${line}\n`).join(""));
  const node = testNode({
    haAddresses: haAddresses.map((address) => ({
      address,
      family: 4 as const,
      prefixLength: 24,
      interfaceName: undefined,
    })),
  });
  return {
    name: "@@NAME@@",
    make: () => makePlugin(plugin, { path }, { node }),
    haAddresses,
    takesAddresses: true,
    present: () => lines().filter((line) => haAddresses.some((address) => address === line)),
    add: (address) => write([...lines(), address]),
    remove: (address) => write(lines().filter((line) => line !== address)),
  };
}
