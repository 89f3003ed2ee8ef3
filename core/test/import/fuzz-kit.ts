/** Words and lines for the importers' property tests, and what must hold of every import. */

import assert from "node:assert/strict";
import { parseConfig } from "../../src/config/parse.js";
import type { Answers, Imported } from "../../src/import/answers.js";
import { noAnswers } from "../../src/import/answers.js";
import { checkPlugins } from "../../src/plugin/host.js";
import type { Seeded } from "../seeded.js";

const addresses = [
  "10.0.0.4",
  "10.0.0.4/24",
  "10.0.0.5/255.255.255.0/eth0:1/10.0.0.255",
  "fd00::4/64",
  "10.0.0.0/24",
  "999.1.1.1",
  "224.0.0.7",
  "0.0.0.0/0",
  "10.0.0.2",
];
const odd = [
  "",
  "=",
  "{",
  "}",
  "::",
  "\\",
  "'",
  '"',
  "$X",
  `$\{X}`,
  "@a",
  "-",
  "…",
  "\u0000",
  "__proto__",
  "null",
  "1e3",
  "a".repeat(80),
  "*",
  "&x",
  "yes",
  "0",
  "-1",
  "99999999999999",
  "1.5",
  "50ms",
  "5s",
];
const words = [
  "eth0",
  "eth1",
  "eth0.100:1",
  "/dev/ttyS0",
  "node-a",
  "Node_B",
  "httpd",
  "on",
  "off",
  "legacy",
  "MASTER",
  "BACKUP",
];

export function someWord(random: Seeded): string {
  return random.pick(random.pick([addresses, odd, words, words, addresses]));
}

export function someText(random: Seeded, line: (random: Seeded) => string): string {
  const lines = Array.from({ length: random.below(25) }, () => line(random));
  return lines.join(random.chance(0.1) ? "\r\n" : "\n");
}

/** Numbers of the lines that an entry speaks of. */
export function coveredLines(imported: Imported, file: string): ReadonlySet<number> {
  const covered = new Set<number>();
  for (const { file: of, line, lastLine = line } of imported.entries) {
    if (of === file) for (let number = line; number <= lastLine; number += 1) covered.add(number);
  }
  return covered;
}

/** Everything that an import may ask for, answered. */
export function answersFor(imported: Imported, nodes: readonly [string, string]): Answers {
  const paths = new Map<string, readonly [string, string]>();
  const haAddresses: string[] = [];
  for (const { flag } of imported.missing) {
    const path = /^--path (\S+)=PRIMARY_IP/.exec(flag)?.[1];
    if (path !== undefined) paths.set(path, [`192.168.${paths.size + 1}.1`, `192.168.${paths.size + 1}.2`]);
    const ha = /^--ha-address (\S+)\/PREFIX$/.exec(flag)?.[1];
    if (ha !== undefined)
      haAddresses.push(ha === "IP" ? "10.9.9.9/24" : `${ha}/${ha.includes(":") ? 64 : 28}`);
  }
  const own = nodes.map((name, index) => ({ name, addresses: [`172.16.0.${index + 1}`] }));
  return { ...noAnswers, nodes: own, haAddresses, paths };
}

/** Every file that is written is one that `understudy check` accepts, the plugins' options included. */
export async function mustBeAccepted(text: string, from: string): Promise<void> {
  try {
    const config = parseConfig(text, "imported.yaml");
    const [self, peer] = config.nodes;
    await checkPlugins({ file: "/nowhere/imported.yaml", config, self, peer });
  } catch (error) {
    assert.fail(`${String(error)}\nmade from:\n${from}\n---\n${text}`);
  }
}
