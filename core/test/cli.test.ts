/**
 * The command line as a person or script meets it: help, exit codes, what init writes and check says. Runs the real
 * program.
 */

import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { configText, questions } from "../src/cli/init-text.js";
import { parseConfig } from "../src/config/parse.js";

const program = fileURLToPath(new URL("../../bin/understudy.js", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "understudy-cli-"));
after(() => rmSync(folder, { recursive: true, force: true }));

function understudy(...args: readonly string[]) {
  const { UNDERSTUDY_CONFIG: _, UNDERSTUDY_NODE: __, ...env } = process.env;
  const run = spawnSync(process.execPath, [program, ...args], { cwd: folder, env, encoding: "utf8" });
  return { code: run.status, out: run.stdout, err: run.stderr };
}

test("the help lists every command and the exit codes", () => {
  const { code, out } = understudy("--help");
  assert.equal(code, 0);
  for (const word of ["init", "check", "plugins", "config", "run", "pulse", "node", "Exit codes:"]) {
    assert.match(out, new RegExp(`\\b${word}`));
  }
});

test("what is not understood is a usage error that names the nearest command", () => {
  const { code, err } = understudy("chek");
  assert.equal(code, 2);
  assert.match(err, /Did you mean check\?/);
  const odd = understudy("check", "--nonsense");
  assert.equal(odd.code, 2);
  assert.match(odd.err, /unknown option '--nonsense'[\s\S]*Nothing was done\. `understudy --help`/);
});

test("init writes a right config and a safe key, never over another, and check reads them", () => {
  const file = join(folder, "pair.yaml");
  const answers = [
    "--cluster",
    "c",
    "--primary",
    "a=10.9.0.2",
    "--secondary",
    "b=10.9.0.3,fd09::3",
    "--address",
  ];
  const first = understudy("--config", file, "init", ...answers, "10.9.0.4/24", "--key", "./key");
  assert.equal(first.code, 0, first.err);
  assert.match(first.out, /scp -p .*pair\.yaml .*key root@10\.9\.0\.3/);
  assert.equal(statSync(join(folder, "key")).mode & 0o777, 0o600);
  const config = parseConfig(readFileSync(file, "utf8"), file);
  assert.deepEqual(config.nodes[1].addresses, ["10.9.0.3", "fd09::3"]);
  assert.equal(config.keyFile, join(folder, "key"));

  const again = understudy("--config", file, "init", ...answers, "10.9.0.5/24", "--key", "./key");
  assert.equal(again.code, 2);
  assert.match(again.err, /CLI_EXISTS/);
  const key = readFileSync(join(folder, "key"), "utf8");
  const forced = understudy("--config", file, "init", ...answers, "10.9.0.5/24", "--key", "./key", "--force");
  assert.equal(forced.code, 0, forced.err);
  assert.match(forced.out, /kept the key/);
  assert.equal(readFileSync(join(folder, "key"), "utf8"), key);
  assert.match(readFileSync(file, "utf8"), /haAddress: 10\.9\.0\.5\/24/);
});

test("init without anybody to ask names what is missing, and refuses a wrong answer", () => {
  const missing = understudy("--config", "other.yaml", "init", "--cluster", "c");
  assert.equal(missing.code, 2);
  assert.match(missing.err, /--primary, --secondary, --address/);
  const args = ["--cluster", "c", "--primary", "a", "--secondary", "b=10.9.0.3", "--address", "10.9.0.4/24"];
  const wrong = understudy("--config", "other.yaml", "init", ...args);
  assert.match(wrong.err, /--primary a: write it as name=address/);
});

test("whatever the answers are, the file that init makes can be read again", () => {
  const config = parseConfig(
    configText(
      {
        cluster: "1e3",
        primary: "on=10.0.0.2",
        secondary: "no=10.0.0.3,fd00::3",
        address: "fd00::4/64,10.0.0.4/24",
      },
      "/k y",
    ),
    "f",
  );
  assert.equal(config.cluster, "1e3");
  assert.deepEqual(
    config.nodes.map(({ name }) => name),
    ["on", "no"],
  );
  assert.equal(config.keyFile, "/k y");
  const [cluster, primary, , address] = questions;
  assert.match(cluster?.problem("a b") ?? "", /letters/);
  assert.match(primary?.problem("a=10.0.0.2/24") ?? "", /without a prefix/);
  assert.match(address?.problem("10.0.0.4") ?? "", /such as 10\.0\.0\.4\/24/);
});

const contract = JSON.stringify(new URL("../src/public.js", import.meta.url).href);
const pluginOf = (kind: string) => `import { definePlugin, z } from ${contract};
  export default definePlugin({ name: "mine", kind: "${kind}", runsIn: "${kind === "store" ? "node" : "pulse"}", needs: {},
    config: z.strictObject({ speed: z.int().min(1).default(7).describe("Metres a second.") }), create: () => ({}) });`;

test("check tells all mistakes of file, plugins and key, and plugins lists what it found", () => {
  for (const kind of ["transport", "address", "store"])
    writeFileSync(join(folder, `${kind}.js`), pluginOf(kind));
  const text = `cluster: c
nodes: { a: 10.9.0.2, b: 10.9.0.3 }
haAddress: 10.9.0.4/24
heartbeat: { paths: [ { plugin: ./transport.js, speed: 9 } ] }
address: [ ./address.js ]
sessions: ./store.js
`;
  const file = join(folder, "mine.yaml");
  writeFileSync(file, text);
  const right = understudy("--config", file, "check", "--json");
  assert.equal(right.code, 0, right.out);
  const result = JSON.parse(right.out) as { ok: boolean; plugins: { kind: string }[]; notes: string[] };
  assert.equal(result.ok, true);
  assert.deepEqual(
    result.plugins.map(({ kind }) => kind),
    ["transport", "address", "store"],
  );
  assert.match(result.notes[0] ?? "", /is neither a \(10\.9\.0\.2\) nor b/);

  const list = understudy("--config", file, "plugins");
  assert.match(list.out, /heartbeat\.paths\[0\] +transport +mine .* pulse/);
  const show = understudy("--config", file, "plugins", "show", "./store.js");
  assert.match(show.out, /speed {2}\(whole number from 1; default 7\)\n {4}Metres a second\./);

  const none = understudy("--config", file, "plugins", "show", "./none.js", "--kind", "store");
  assert.deepEqual([none.code, none.out], [2, ""]);
  assert.match(none.err, /there is no plugin \.\/none\.js of kind store: there is no file .*none\.js/);

  writeFileSync(file, text.replace("speed: 9", "speed: 0").replace("./store.js", "./none.js"));
  const wrong = understudy("--config", file, "--node", "a", "check");
  assert.equal(wrong.code, 2);
  for (const part of [/speed: must be at least 1; found 0/, /PLUGIN_NOT_FOUND/, /KEY_MISSING/]) {
    assert.match(wrong.out, part);
  }
});

test("the JSON schema has the keys of the file and the options of installed plugins", () => {
  const { code, out } = understudy("config", "schema");
  assert.equal(code, 0);
  const schema = JSON.parse(out) as { properties: Record<string, unknown> };
  assert.deepEqual(Object.keys(schema.properties).slice(0, 3), ["cluster", "nodes", "haAddress"]);
  assert.match(out, /"enum": \[\s+"exec",\s+"@understudy\/service-exec"\s+\]/);
});

test("a reader that closes its end early is no failure", async () => {
  const child = spawn(process.execPath, [program, "config", "schema"], { stdio: ["ignore", "pipe", "pipe"] });
  let said = "";
  child.stderr.on("data", (chunk: Buffer) => {
    said += chunk.toString();
  });
  child.stdout.destroy();
  const [code] = await once(child, "close");
  assert.deepEqual([code, said], [0, ""]);
});
