/** `understudy import` as a person meets it: what goes where, what is asked for, and that nothing is ever overwritten. */

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";

const program = fileURLToPath(new URL("../../../bin/understudy.js", import.meta.url));
const golden = fileURLToPath(new URL("../../../test/golden/import/", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "understudy-import-"));
after(() => rmSync(folder, { recursive: true, force: true }));

function understudy(...args: readonly string[]) {
  const { UNDERSTUDY_CONFIG: _, UNDERSTUDY_NODE: __, ...env } = process.env;
  const run = spawnSync(process.execPath, [program, ...args], { cwd: folder, env, encoding: "utf8" });
  return { code: run.status, out: run.stdout, err: run.stderr };
}

const guide = join(golden, "heartbeat-guide");
const known = [
  ["--address", "tlha-primary.example.com=10.0.0.2"],
  ["--address", "tlha-secondary.example.com=10.0.0.3"],
  ["--ha-address", "10.0.0.4/24"],
].flat();

test("everything that is missing is asked for at once, after the report, and nothing is printed", () => {
  const { code, out, err } = understudy("import", "heartbeat", guide);
  assert.equal(code, 2);
  assert.equal(out, "");
  assert.match(err, /10 {2}taken +node tlha-secondary/);
  for (const flag of [
    "tlha-primary.example.com=IP",
    "tlha-secondary.example.com=IP",
    "--ha-address 10.0.0.4/PREFIX",
  ])
    assert.ok(err.includes(flag), flag);
  assert.match(err, /\[IMPORT_INCOMPLETE\]/);
  assert.doesNotMatch(err, /correct-horse/);
});

test("what was named by mistake is refused with what it is", () => {
  writeFileSync(join(folder, "program"), Buffer.from([0x7f, 0x45, 0x4c, 0x46, 0, 0]));
  const refused: readonly (readonly [string, string, RegExp])[] = [
    ["heartbeat", "nowhere", /there is no folder .*nowhere\n/],
    ["heartbeat", "program", /program is a file: name the folder that holds it/],
    ["heartbeat", ".", /there is no ha\.cf in /],
    ["keepalived", "nowhere", /there is no file .*nowhere\n/],
    ["keepalived", ".", /is a folder: name the file in it/],
    ["keepalived", "program", /program is no text/],
  ];
  for (const [from, named, why] of refused) {
    const { code, out, err } = understudy("import", from, named);
    assert.deepEqual([code, out], [2, ""], err);
    assert.match(err, why);
    assert.match(err, /\[IMPORT_UNREADABLE\]/);
  }
});

test("an old file in Latin-1 is read, and an include that leads nowhere is no end", () => {
  const file = join(folder, "old.conf");
  symlinkSync(join(folder, "gone"), join(folder, "dangling.conf"));
  writeFileSync(file, Buffer.from("# \xfcber allem\ninclude dangling.conf\nrouter_id caf\xe9\n", "latin1"));
  const { code, err } = understudy("import", "keepalived", file);
  assert.equal(code, 2);
  assert.match(err, /router_id café/);
  assert.match(err, /\[IMPORT_INCOMPLETE\]/);
});

test("the file goes to standard output and the report to standard error, and check accepts the file", () => {
  const { code, out, err } = understudy("import", "heartbeat", guide, ...known);
  assert.equal(code, 0, err);
  assert.match(out, /^cluster: understudy$/m);
  assert.match(err, /taken over, \d+ changed in meaning/);
  const file = join(folder, "printed.yaml");
  writeFileSync(file, out);
  assert.equal(understudy("--config", file, "check").code, 0);
});

test("files and the key are written once and never over another", () => {
  const files = ["--output", "pair.yaml", "--report", "report.txt", "--key", "key"];
  const first = understudy("import", "heartbeat", guide, ...known, ...files);
  assert.equal(first.code, 0, first.err);
  assert.equal(first.out, "");
  assert.equal(statSync(join(folder, "key")).mode & 0o777, 0o600);
  assert.match(
    readFileSync(join(folder, "pair.yaml"), "utf8"),
    new RegExp(`keyFile: .*${join(folder, "key")}`),
  );
  assert.match(readFileSync(join(folder, "report.txt"), "utf8"), /^authkeys$/m);
  const key = readFileSync(join(folder, "key"), "utf8");
  const again = understudy("import", "heartbeat", guide, ...known, ...files);
  assert.equal(again.code, 2);
  assert.match(again.err, /CLI_EXISTS/);
  rmSync(join(folder, "pair.yaml"));
  rmSync(join(folder, "report.txt"));
  assert.equal(understudy("import", "heartbeat", guide, ...known, ...files).code, 0);
  assert.equal(readFileSync(join(folder, "key"), "utf8"), key);
});

test("keepalived.conf is read with what it includes", () => {
  const file = join(golden, "keepalived-groups", "keepalived.conf");
  const without = understudy(
    "import",
    "keepalived",
    file,
    "--address",
    "gw1=192.0.2.2",
    "--address",
    "gw2=192.0.2.3",
  );
  assert.equal(without.code, 2);
  assert.match(without.err, /--config-id NAME/);
  const nodes = [
    "--address",
    "gw1=192.0.2.2,10.0.0.2",
    "--address",
    "gw2=192.0.2.3,10.0.0.3",
    "--config-id",
    "gw1",
  ];
  const { code, out, err } = understudy("import", "keepalived", file, ...nodes);
  assert.equal(code, 0, err);
  assert.match(out, /10\.0\.0\.1\/24/);
  assert.match(err, /conf\.d\/inside\.conf$/m);
});

test("a folder without ha.cf, a file that is not there, a folder as a file", () => {
  mkdirSync(join(folder, "empty"));
  for (const args of [
    ["heartbeat", "empty"],
    ["keepalived", "none.conf"],
    ["keepalived", "empty"],
  ]) {
    const { code, err } = understudy("import", ...args);
    assert.equal(code, 2);
    assert.match(err, /IMPORT_UNREADABLE/);
  }
  assert.ok(!existsSync(join(folder, "empty", "pair.yaml")));
});

for (const [what, args, message] of [
  ["an address without a name", ["--address", "10.0.0.2"], /name=address/],
  ["an address that is none", ["--address", "tlha-primary.example.com=10.0.0.300"], /10\.0\.0\.300 must be/],
  ["a node that is not in the file", ["--address", "other=10.0.0.2"], /other is none of the nodes/],
  ["a path with one address", ["--path", "eth1=10.0.0.2"], /interface=primary,secondary/],
  [
    "an HA address that is a node's",
    [...known, "--ha-address", "10.0.0.2/24"],
    /10\.0\.0\.2 is a node's own/,
  ],
  ["a name that no cluster can have", ["--cluster", "a b"], /--cluster a b/],
] as const) {
  test(`${what} is refused with the reason`, () => {
    const { code, out, err } = understudy("import", "heartbeat", guide, ...args);
    assert.equal(code, 2);
    assert.equal(out, "");
    assert.match(err, message);
  });
}
