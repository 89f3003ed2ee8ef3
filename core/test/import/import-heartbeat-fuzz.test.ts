/** Any text at all, as the files of Heartbeat: every line is reported, no secret shows, and what is written is right. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { noAnswers } from "../../src/import/answers.js";
import { directives } from "../../src/import/heartbeat/directives.js";
import { ignoredDirectives } from "../../src/import/heartbeat/ignored-directives.js";
import { importHeartbeat } from "../../src/import/heartbeat/translate.js";
import { type Seeded, seeded } from "../seeded.js";
import { answersFor, coveredLines, mustBeAccepted, someText, someWord } from "./fuzz-kit.js";

const names = [...directives.keys(), ...ignoredDirectives.keys(), "udp", "nonsense", ""];
const resources = [
  "IPaddr",
  "IPaddr2",
  "IPv6addr",
  "IPsrcaddr",
  "SendArp",
  "Filesystem",
  "LVM",
  "drbddisk",
  "MailTo",
  "Delay",
  "apache",
  "my script",
  "tomcat@x",
];

function confLine(random: Seeded): string {
  if (random.chance(0.1)) return random.pick(["", "  ", "# only a comment", "\t#", ","]);
  const options = Array.from({ length: random.below(5) }, () => someWord(random));
  const comment = random.chance(0.1) ? " # said so" : "";
  return `${random.pick(["", " ", "\t"])}${random.pick(names)} ${options.join(random.pick([" ", ", ", "\t"]))}${comment}`;
}

function resourceLine(random: Seeded): string {
  if (random.chance(0.1)) return random.pick(["", "# comment", "\\", " \\"]);
  const one = () => {
    const args = Array.from({ length: random.below(4) }, () => someWord(random));
    return random.chance(0.3) ? someWord(random) : [random.pick(resources), ...args].join("::");
  };
  const parts = Array.from({ length: random.below(4) }, one);
  return `${random.pick(["node-a", "Node_B", "other", ""])} ${parts.join(" ")}${random.chance(0.3) ? random.pick(["\\", " \\"]) : ""}`;
}

const secret = "tOpSeCrEt";

function authLine(random: Seeded): string {
  return random.pick([
    "",
    "# x",
    "auth 1",
    `1 sha1 ${secret}`,
    `2 md5 ${secret}`,
    "3 crc",
    `${secret} ${secret}`,
    `auth ${secret}`.slice(0, 6),
  ]);
}

/** Lines with something before their comment. */
function meaningful(text: string): readonly number[] {
  return text
    .split("\n")
    .flatMap((line, index) => (line.replace(/#.*/, "").trim() === "" ? [] : [index + 1]));
}

for (let part = 0; part < 4; part += 1) {
  test(`120 folders of any content, from seed ${part * 1000}`, async () => {
    let written = 0;
    for (let seed = part * 1000; seed < part * 1000 + 120; seed += 1) {
      const random = seeded(seed);
      const nodes = random.chance(0.7) ? "node node-a Node_B\n" : "";
      const files = {
        haCf: nodes + someText(random, confLine),
        haresources: someText(random, resourceLine),
        authkeys: someText(random, authLine),
      };
      const from = `seed ${seed}\n${JSON.stringify(files, null, 2)}`;
      const first = importHeartbeat(files, noAnswers);
      assert.equal(first.text, undefined, "the nodes' own addresses are never known");
      for (const [file, text] of [
        ["ha.cf", files.haCf],
        ["authkeys", files.authkeys],
        ["haresources", files.haresources],
      ] as const) {
        const covered = coveredLines(first, file);
        for (const line of meaningful(text))
          assert.ok(covered.has(line), `line ${line} of ${file} is not reported\n${from}`);
      }
      assert.ok(!JSON.stringify(first.entries).includes(secret), `a secret is in the report\n${from}`);
      for (const { note, text } of first.entries)
        assert.ok(note.length > 5 && !/[\n\0]/.test(text), `${text}: ${note}\n${from}`);
      const second = importHeartbeat(files, answersFor(first, ["node-a", "node_b"]));
      if (second.text === undefined) continue;
      written += 1;
      await mustBeAccepted(second.text, from);
    }
    assert.ok(written > 20, `only ${written} of 120 became a config`);
  });
}
