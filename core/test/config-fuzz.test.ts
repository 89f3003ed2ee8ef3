/**
 * The config loader against thousands of damaged files: whatever the text is, the answer is a Config or an
 * UnderstudyError that names at least one place, never anything else.
 */

import assert from "node:assert/strict";
import { test } from "node:test";
import { parseConfig } from "../src/config/parse.js";
import { UnderstudyError } from "../src/errors/error.js";

const valid = [
  "cluster: tlha\nnodes:\n  a: 10.0.0.2\n  b: 10.0.0.3\nhaAddress: 10.0.0.4/24\n",
  `cluster: x
nodes: { a: [10.0.0.2, "fd00::2"], b: [10.0.0.3, fd00::3] }
haAddress: [ { address: 10.0.0.4/24, interface: eth0 }, fd00::4/64 ]
heartbeat: { profile: fast, paths: [ { plugin: udp, class: client, name: one }, { plugin: serial, class: private } ] }
aloneAfter: never
failback: { mode: auto, hold: 10s, freeze: 50ms }
sessions: { plugin: sqlite, path: /var/lib/x }
services: [ { plugin: vsm, agents: [ a, b ] } ]
`,
];

const pieces = [
  "null",
  "~",
  "[]",
  "{}",
  "true",
  "-1",
  "1e999",
  ".nan",
  "0x10",
  "''",
  "&a",
  "*a",
  "<<: *a",
  "!!binary",
  "? ",
  ": ",
  "- ",
  "\n",
  "\t",
  " ",
  "#",
  "|",
  ">",
  "%YAML 9.9\n",
  "---\n",
  "...\n",
  "__proto__",
  "constructor",
  "\u0000",
  "\ufeff",
  "💥",
  "never",
  "10.0.0.4/24",
  "::",
  "plugin",
  "9".repeat(40),
  "{",
  "}",
  "[",
  "]",
  '"',
  "a: &a [*a]",
  "2026-01-01",
];

/** xorshift: the same seed, the same files. */
function randomFrom(seed: number): (below: number) => number {
  let state = seed * 2654435761 + 1;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

function damage(text: string, random: (below: number) => number): string {
  let result = text;
  for (let change = random(6); change >= 0; change -= 1) {
    const at = random(result.length + 1);
    const length = random(4) === 0 ? random(40) : random(3);
    const piece = pieces[random(pieces.length)] ?? "";
    const copied = result.slice(random(result.length + 1)).slice(0, random(30));
    const inserted = [piece, copied, String.fromCharCode(random(256)), ""][random(4)] ?? "";
    result = result.slice(0, at) + inserted + result.slice(at + length);
  }
  return result;
}

test("no damaged file gets anything but a Config or an explained refusal", () => {
  const first = Number(process.env.UNDERSTUDY_SEED ?? 1);
  const runs = Number(process.env.UNDERSTUDY_RUNS ?? 3000);
  let refused = 0;
  for (let seed = first; seed < first + runs; seed += 1) {
    const random = randomFrom(seed);
    const text = damage(valid[random(valid.length)] ?? "", random);
    try {
      const config = parseConfig(text, "f.yaml");
      assert.equal(config.nodes.length, 2);
      assert.match(config.digest, /^[0-9a-f]{8}$/);
    } catch (error) {
      assert.ok(error instanceof UnderstudyError, `seed ${seed}: ${String(error)}\n${text}`);
      assert.match(error.message, /f\.yaml:\d+:\d+/, `seed ${seed}`);
      refused += 1;
    }
  }
  assert.ok(refused > runs / 2 && refused < runs, `${refused} of ${runs} refused`);
});
