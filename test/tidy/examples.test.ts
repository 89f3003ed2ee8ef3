/** Every plugin's example is a config that loads, by the word of the command that an owner would ask. */

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, globSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { root } from "./source-files.js";

const packages = globSync("plugins/*/package.json", { cwd: root }).map((path) => path.split("/")[1] ?? "");

test("there are plugins", () => {
  assert.ok(packages.length >= 8);
});

for (const name of packages) {
  test(`the example of ${name} loads, and there is a README`, () => {
    const folder = join(root, "plugins", name);
    assert.ok(existsSync(join(folder, "README.md")), "README.md");
    const example = join(folder, "example.yaml");
    const command = [join(root, "core/bin/understudy.js"), "--config", example, "check"];
    const { status, stdout, stderr } = spawnSync(process.execPath, command, { encoding: "utf8" });
    assert.equal(status, 0, `${stdout}${stderr}`);
    const [kind = "", ...rest] = name.split("-");
    const plugins = /^ {2}plugins +(.*)$/m.exec(stdout)?.[1]?.split(", ");
    assert.ok(plugins?.includes(`${kind} ${rest.join("-")}`), `${name} is in it: ${stdout}`);
  });
}
