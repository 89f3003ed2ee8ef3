/**
 * Finding the config file and finding out which node this is; above all that nothing in the working directory is run.
 */

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { loadConfig } from "../src/config/load.js";
import { parseConfig } from "../src/config/parse.js";
import { readConfigFile } from "../src/config/read-file.js";
import { whichNode } from "../src/config/which-node.js";
import { editDistance, nearestWord } from "../src/config/words.js";

const folder = mkdtempSync(join(tmpdir(), "understudy-config-"));
after(() => rmSync(folder, { recursive: true, force: true }));

const text = "cluster: c\nnodes: { one: 10.9.0.2, two: 10.9.0.3 }\nhaAddress: 10.9.0.4/24\n";
const file = join(folder, "understudy.yaml");
writeFileSync(file, text);

test("a file, or a folder that holds it, is loaded and seen from one node", async () => {
  const local = await loadConfig(file, { node: "two" });
  assert.equal(local.file, file);
  assert.equal(local.self.side, "secondary");
  assert.equal(local.peer.name, "one");
  assert.equal((await loadConfig(folder, { node: "one" })).file, file);
});

test("a missing, unreadable or empty file is told apart", async () => {
  await assert.rejects(loadConfig(join(folder, "none.yaml")), { code: "CONFIG_MISSING" });
  await assert.rejects(loadConfig(join(file, "below")), { code: "CONFIG_MISSING" });
  await assert.rejects(loadConfig("/proc/self/mem"), { code: "CONFIG_UNREADABLE" });
  const empty = join(folder, "empty.yaml");
  writeFileSync(empty, "");
  await assert.rejects(loadConfig(empty), { code: "CONFIG_WRONG" });
  mkdirSync(join(folder, "bare"));
  await assert.rejects(loadConfig(join(folder, "bare")), { code: "CONFIG_MISSING" });
});

test("what is no text, not in UTF-8, too long, or called like something else is refused with the reason", async () => {
  const refused = async (name: string, bytes: Buffer | string, why: RegExp) => {
    const place = join(folder, name);
    writeFileSync(place, bytes);
    await assert.rejects(readConfigFile(place), { code: "CONFIG_UNREADABLE", message: why });
  };
  await refused("latin1.yaml", Buffer.from(`${text}# caf\xe9\n`, "latin1"), /latin1\.yaml:4:6 is not UTF-8/);
  await refused("program.yaml", Buffer.from([0x7f, 0x45, 0x4c, 0x46, 0, 0, 0]), /is no text/);
  await refused("pair.toml", text, /ends in \.toml: a config file is YAML or JSON/);
  const image = join(folder, "image.yaml");
  writeFileSync(image, "");
  truncateSync(image, 3 * 1024 ** 3);
  await assert.rejects(readConfigFile(image), { message: /has 3072 MiB, and a config has 1 MiB at most/ });
  await assert.rejects(readConfigFile(join(folder, "bare")), { message: /holds no understudy\.yaml and no/ });
});

test("lines may end as on Windows, and a mark of the byte order may stand in front", async () => {
  const place = join(folder, "windows.yaml");
  writeFileSync(place, `\ufeff${text.replaceAll("\n", "\r\n")}`);
  assert.equal((await loadConfig(place, { node: "one" })).config.cluster, "c");
  writeFileSync(place, `${text.replaceAll("\n", "\r\n")}odd: 1\r\n`);
  await assert.rejects(loadConfig(place, { node: "one" }), /windows\.yaml:4:1 {2}odd: no such key/);
});

test("a file called package.yaml is read like any other, and $import imports nothing", async () => {
  const named = join(folder, "package.yaml");
  writeFileSync(named, text);
  assert.equal((await readConfigFile(named)).text, text);
  writeFileSync(named, `$import: ./other.js\n${text}`);
  await assert.rejects(loadConfig(named, { node: "one" }), /\$import: no such key/);
});

test("a program in the working directory is not run, and a program is no config", async () => {
  const trap = join(folder, "trap");
  mkdirSync(join(trap, ".config"), { recursive: true });
  const bait = `require("node:fs").writeFileSync(${JSON.stringify(join(trap, "sprung"))}, "x"); module.exports = {};`;
  for (const place of [".config/config.js", ".config/config.cjs", "understudy.config.js", "own.js"]) {
    writeFileSync(join(trap, place), bait);
  }
  const loader = JSON.stringify(new URL("../src/config/load.js", import.meta.url).href);
  const script = `import { loadConfig } from ${loader};
    const local = await loadConfig(${JSON.stringify(file)}, { node: "one" });
    const refused = await loadConfig("own.js").catch((error) => error.code);
    console.log(local.self.name, refused, process.cwd());`;
  const run = spawnSync(process.execPath, ["--input-type=module", "-e", script], {
    cwd: trap,
    encoding: "utf8",
  });
  assert.equal(run.stdout.trim(), `one CONFIG_UNREADABLE ${trap}`, run.stderr);
  assert.equal(existsSync(join(trap, "sprung")), false);
});

test("which node this is: option, environment, address, host name, else a refusal", () => {
  const config = parseConfig(text, file);
  const machine = { hostName: "elsewhere", addresses: ["192.0.2.7"], environment: undefined };
  const name = (asked: string | undefined, changed: object) =>
    whichNode(config, asked, { ...machine, ...changed }).name;
  assert.equal(name("two", { environment: "one", addresses: ["10.9.0.2"] }), "two");
  assert.equal(name(undefined, { environment: "one", addresses: ["10.9.0.3"] }), "one");
  assert.equal(name(undefined, { addresses: ["192.0.2.7", "10.9.0.3"], hostName: "one" }), "two");
  assert.equal(name(undefined, { hostName: "Two.example.org" }), "two");
  const refused = (message: RegExp, asked: string | undefined, changed: object) =>
    assert.throws(() => name(asked, changed), { code: "CONFIG_WHICH_NODE", message });
  refused(/--node says tow, but the nodes are one and two; did you mean two\?/, "tow", {});
  refused(/addresses of both nodes/, undefined, { addresses: ["10.9.0.2", "10.9.0.3"] });
  refused(/this machine, elsewhere with 192\.0\.2\.7, is neither one \(10\.9\.0\.2\) nor two/, undefined, {});
});

test("the nearest word is found, and a far one is not", () => {
  assert.equal(nearestWord("hartbeat", ["heartbeat", "lease"]), "heartbeat");
  assert.equal(nearestWord("haaddress", ["haAddress"]), "haAddress");
  assert.equal(nearestWord("banana", ["heartbeat", "lease"]), undefined);
  assert.deepEqual(
    [
      editDistance("", "abc"),
      editDistance("abc", ""),
      editDistance("ab", "ba"),
      editDistance("kitten", "sitting"),
    ],
    [3, 3, 1, 3],
  );
});
