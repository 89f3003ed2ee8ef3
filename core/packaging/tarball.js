/**
 * `npm run tarball`: one archive that runs on a machine with no Node and no registry. It holds a private Node, every
 * @understudy package as compiled code, and exactly the libraries that those need in production.
 */

import { spawnSync } from "node:child_process";
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { productionPackages } from "./production-packages.js";

const root = fileURLToPath(new URL("../../", import.meta.url));
const here = fileURLToPath(new URL("./", import.meta.url));
const { version } = JSON.parse(readFileSync(join(root, "core/package.json"), "utf8"));
const architecture = process.arch;

/** Of our own packages: what runs, what plugin authors compile against, what people read. */
const ownFiles = ["package.json", "bin", "dist/src", "systemd", "templates", "README.md", "example.yaml"];
/** Of what is compiled: nothing runs these. */
const left = /\.(map|tsbuildinfo)$/;

function copyOwn(folder, to) {
  for (const name of ownFiles) {
    const from = join(root, folder, name);
    if (!existsSync(from)) continue;
    cpSync(from, join(to, name), { recursive: true, filter: (path) => !left.test(path) });
  }
}

function copyLibrary(folder, to) {
  const from = join(root, folder);
  cpSync(from, to, {
    recursive: true,
    dereference: true,
    // What is nested below is listed by itself.
    filter: (path) => !left.test(path) && relative(from, path) !== "node_modules",
  });
}

function copyNode(stage) {
  const folder = join(root, `node_modules/node-${process.platform}-${architecture}`);
  const binary = join(folder, "bin/node");
  if (!existsSync(binary)) throw new Error(`there is no ${binary}: run npm ci with optional packages`);
  mkdirSync(join(stage, "node/bin"), { recursive: true });
  cpSync(binary, join(stage, "node/bin/node"));
  chmodSync(join(stage, "node/bin/node"), 0o755);
  cpSync(join(folder, "LICENSE"), join(stage, "node/LICENSE"));
}

function stageAll(stage) {
  copyNode(stage);
  const { own, libraries } = productionPackages(root, ["core", "plugins/"]);
  for (const { name, folder } of own) copyOwn(folder, join(stage, "node_modules", name));
  for (const folder of libraries) copyLibrary(folder, join(stage, folder));
  mkdirSync(join(stage, "bin"));
  cpSync(join(here, "understudy.sh"), join(stage, "bin/understudy"));
  for (const name of ["install.sh", "uninstall.sh"]) cpSync(join(here, name), join(stage, name));
  for (const name of ["bin/understudy", "install.sh", "uninstall.sh"]) chmodSync(join(stage, name), 0o755);
  cpSync(join(root, "core/systemd"), join(stage, "systemd"), { recursive: true });
  for (const name of [
    "DEPLOY.md",
    "PROTECTION.md",
    "MIGRATE.md",
    "CONFIG.md",
    "ERRORS.md",
    "PLUGINS.md",
    "RULES.md",
  ])
    cpSync(join(root, "core", name), join(stage, name));
  cpSync(join(root, "LICENSE"), join(stage, "LICENSE"));
  writeFileSync(join(stage, "VERSION"), `${version} ${process.platform} ${architecture}\n`);
}

/** The same tree makes the same bytes: names sorted, owner root, the times of the last commit. */
function pack(stage, archive) {
  const lastCommit = spawnSync("git", ["log", "-1", "--format=%ct"], {
    cwd: root,
    encoding: "utf8",
  }).stdout.trim();
  const made = process.env.SOURCE_DATE_EPOCH ?? (lastCommit || "0");
  const args = [
    "--sort=name",
    "--owner=0",
    "--group=0",
    "--numeric-owner",
    `--mtime=@${made}`,
    "--mode=go-w",
  ];
  const run = spawnSync(
    "tar",
    [...args, "-I", "gzip -n", "-cf", archive, "-C", dirname(stage), basename(stage)],
    {
      stdio: "inherit",
    },
  );
  if (run.status !== 0) throw new Error(`tar ended with ${run.status ?? run.error?.message}`);
}

const name = `understudy-${version}-${process.platform}-${architecture}`;
const target = process.argv[2] ?? join(root, "out");
const work = mkdtempSync(join(tmpdir(), "understudy-tarball-"));
try {
  const stage = join(work, name);
  mkdirSync(stage);
  stageAll(stage);
  mkdirSync(target, { recursive: true });
  const archive = join(target, `${name}.tar.gz`);
  pack(stage, archive);
  console.log(`${archive}  ${(statSync(archive).size / 1e6).toFixed(1)} MB`);
} finally {
  rmSync(work, { recursive: true, force: true });
}
