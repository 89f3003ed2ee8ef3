#!/usr/bin/env node
/**
 * The program `understudy`. It runs under the Node it came with: an older one that happens to be first in PATH only
 * looks for that one and hands over to it.
 */

const needed = 24;

async function start() {
  if (Number(process.versions.node.split(".")[0]) >= needed) {
    const { main } = await import("../dist/src/cli/main.js");
    await main(process.argv.slice(2));
    return;
  }
  const { createRequire } = await import("node:module");
  const { spawnSync } = await import("node:child_process");
  const { fileURLToPath } = await import("node:url");
  let node;
  try {
    node = createRequire(import.meta.url).resolve(`node-${process.platform}-${process.arch}/bin/node`);
  } catch {
    process.stderr.write(
      `understudy: needs Node.js ${needed} or newer, and this is ${process.versions.node}; install the newer one\n`,
    );
    process.exitCode = 1;
    return;
  }
  const run = spawnSync(node, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], {
    stdio: "inherit",
  });
  process.exitCode = run.status ?? 1;
}

await start();
