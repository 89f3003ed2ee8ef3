/**
 * Makes the demo able to build networks without touching the host's: root uses network namespaces at once, an ordinary
 * user gets a user namespace first, in which everything that follows is private and vanishes with the last process.
 */

import { spawnSync } from "node:child_process";

const mark = "UNDERSTUDY_PRIVATE";

/** Returns when networks can be made here; otherwise runs this program again in a namespace and ends with its result. */
export function enterPrivateNetwork(): void {
  if (process.geteuid?.() === 0) return;
  if (process.env[mark] !== undefined) {
    console.error("This user namespace does not let its root make networks: run npm start as root instead.");
    process.exit(1);
  }
  // ip keeps the names of namespaces in /run/netns: a /run of our own, since the host's belongs to root.
  const script = 'mount -t tmpfs tmpfs /run && exec "$@"';
  const again = spawnSync(
    "unshare",
    [
      "--user",
      "--map-root-user",
      "--mount",
      "--net",
      "sh",
      "-c",
      script,
      "sh",
      process.execPath,
      ...process.execArgv,
      ...process.argv.slice(1),
    ],
    { stdio: "inherit", env: { ...process.env, [mark]: "1", PATH: `${process.env.PATH}:/usr/sbin:/sbin` } },
  );
  if (again.error !== undefined) {
    console.error(
      `unshare could not be run (${again.error.message}): install util-linux, or run npm start as root.`,
    );
    process.exit(1);
  }
  if (again.status !== 0 && again.signal === null) {
    console.error(
      "The demo needs user namespaces for an ordinary user; if this system forbids them, run npm start as root.",
    );
  }
  process.exit(again.status ?? 1);
}
