/** Any text at all, as keepalived.conf: every line is reported, no secret shows, and what is written is right. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { noAnswers } from "../../src/import/answers.js";
import { importKeepalived } from "../../src/import/keepalived/translate.js";
import { type Seeded, seeded } from "../seeded.js";
import { answersFor, coveredLines, mustBeAccepted, someText, someWord } from "./fuzz-kit.js";

const secret = "tOpSeCrEt";
const words = [
  "vrrp_instance VI_1",
  "vrrp_sync_group G1",
  "vrrp_script chk",
  "global_defs",
  "virtual_server 10.0.0.4 80",
  "static_routes",
  "state",
  "priority",
  "interface eth0",
  "advert_int",
  "virtual_router_id",
  "nopreempt",
  "preempt_delay",
  "unicast_src_ip",
  "unicast_peer",
  "virtual_ipaddress",
  "virtual_ipaddress_excluded",
  "virtual_routes { src 10.0.0.4 to 10.5.0.0/16 via 10.0.0.1 dev eth0 }",
  "virtual_rules { from 10.0.0.4 table 100 }",
  "virtual_routes",
  "track_script",
  "track_interface",
  "notify_master",
  "notify",
  "notify_stop",
  "notify_fault \"/bin/x 'a b' c\" root",
  "script",
  'script "killall -0 x | true"',
  "group",
  "authentication",
  `auth_pass ${secret}`,
  "garp_master_delay",
  "use_vmac",
  "weight",
  "interval",
  "smtp_server",
  "dev",
];

/** A parameter in braces, as it is used. */
const used = (name: string) => ["$", "{", name, "}"].join("");

function line(random: Seeded): string {
  if (random.chance(0.1))
    return random.pick(["", " ", "# comment", "! comment", "include nothing.conf", "include other.conf"]);
  if (random.chance(0.1))
    return random.pick([
      "$X=eth0",
      `$Y=${used("Y")}x`,
      "$M= \\",
      "@one priority 1",
      "@^one  state MASTER",
      "$X",
      used("M"),
    ]);
  const many = Array.from({ length: random.below(3) }, () => someWord(random)).join(" ");
  const brace = random.pick(["", "", "", " {", "{", " }", "}", " { 10.0.0.4/24 }"]);
  return `${random.pick(["", "  ", "\t"])}${random.chance(0.8) ? random.pick(words) : someWord(random)} ${many}${brace}`;
}

function routeLine(random: Seeded): string {
  const parts = [
    "to 10.5.0.0/16",
    "10.6.0.0/24",
    "default",
    "via 10.0.0.1",
    "via fd00::1",
    "src 10.0.0.4",
    "dev eth0",
    "from 10.0.0.4",
    "table 100",
    "table main",
    "metric 5",
    "onlink",
    "priority 7",
    "scope link",
    "nexthop via 10.0.0.1",
    "to 10.5.0.7/16",
    "::/0",
  ];
  return Array.from({ length: 1 + random.below(4) }, () => random.pick(parts)).join(" ");
}

const wellFormed = (random: Seeded) => {
  const block = (name: string, inside: readonly string[]) => [
    `${name} {`,
    ...inside.map((one) => `  ${one}`),
    "}",
  ];
  const some = (list: readonly (() => readonly string[])[]) =>
    list.flatMap((one) => (random.chance(0.6) ? one() : []));
  const instance = () =>
    block(
      `vrrp_instance ${someWord(random) || "V"}`,
      some([
        () => ["interface eth0"],
        () => [`state ${random.pick(["MASTER", "BACKUP"])}`],
        () => ["nopreempt"],
        () => [`preempt_delay ${someWord(random)}`],
        () => [`advert_int ${random.pick(["1", "0.1", "x", "-1", "999"])}`],
        () =>
          block(
            "virtual_ipaddress",
            Array.from({ length: random.below(40) }, (_, n) =>
              random.chance(0.5) ? someWord(random) : `10.0.${n}.4/24 dev eth${n} label eth${n}:1`,
            ),
          ),
        () => block("authentication", ["auth_type PASS", `auth_pass ${secret}`]),
        () => block("unicast_peer", [someWord(random)]),
        () =>
          block(
            "virtual_routes",
            Array.from({ length: random.below(4) }, () => routeLine(random)),
          ),
        () =>
          block(
            "virtual_rules",
            Array.from({ length: random.below(3) }, () => routeLine(random)),
          ),
        () => block("track_script", ["chk", "chk weight 3"]),
        () =>
          Array.from(
            { length: random.below(25) },
            () => `notify_master "/bin/x ${someWord(random).replaceAll(/["'\\]/g, "")}"`,
          ),
      ]),
    );
  const script = () =>
    block("vrrp_script chk", [
      `script "${someWord(random).replaceAll(/["'\\]/g, "")} y"`,
      "interval 2",
      "fall 2",
    ]);
  return some([
    script,
    instance,
    instance,
    () => block("virtual_server 10.0.0.4 80", block("real_server 1.1.1.1 80", ["weight 1"])),
  ]).join("\n");
};

/** Lines that hold more than braces and comments. */
function meaningful(text: string): readonly number[] {
  return text.split(/\r?\n/).flatMap((one, index) => (/^[\s{}]*(?:[#!].*)?$/.test(one) ? [] : [index + 1]));
}

for (let part = 0; part < 4; part += 1) {
  test(`120 files of any content, from seed ${part * 1000}`, async () => {
    let written = 0;
    for (let seed = part * 1000; seed < part * 1000 + 120; seed += 1) {
      const random = seeded(seed);
      const text = part < 2 ? someText(random, line) : wellFormed(random);
      const other = someText(random, line);
      const include = (pattern: string) =>
        pattern === "other.conf" ? [{ file: "other.conf", text: other }] : [];
      const from = `seed ${seed}\n${text}\n--- other.conf\n${other}`;
      const file = { file: "keepalived.conf", text };
      const first = importKeepalived(file, include, noAnswers);
      assert.equal(first.text, undefined, "the names of the nodes are never known");
      const covered = coveredLines(first, "keepalived.conf");
      for (const number of meaningful(text))
        assert.ok(covered.has(number), `line ${number} is not reported\n${from}`);
      if (
        text.includes("include other.conf") &&
        covered.size > 0 &&
        first.entries.some(({ file: of }) => of === "other.conf")
      ) {
        const inside = coveredLines(first, "other.conf");
        for (const number of meaningful(other))
          assert.ok(inside.has(number), `line ${number} of other.conf\n${from}`);
      }
      if (part >= 2)
        assert.ok(!JSON.stringify(first.entries).includes(secret), `a secret is in the report\n${from}`);
      const second = importKeepalived(file, include, {
        ...answersFor(first, ["one", "two"]),
        configId: "one",
      });
      if (second.text === undefined) continue;
      written += 1;
      await mustBeAccepted(second.text, from);
    }
    assert.ok(written > 20, `only ${written} of 120 became a config`);
  });
}
