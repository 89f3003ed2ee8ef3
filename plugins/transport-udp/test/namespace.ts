/**
 * Runs a test file in a network namespace of its own, where it may take interfaces down and name addresses as it
 * likes. The file starts itself again inside; outside, one test waits for the result.
 */

import assert from "node:assert/strict";
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const marker = "UNDERSTUDY_TEST_NAMESPACE";

/** True inside, with nothing but a downed loopback. False outside, after declaring the test that runs the inside. */
export function insideNamespace(file: string): boolean {
  if (process.env[marker] === "yes") return true;
  test("in a network namespace of its own", async () => {
    // A runner started inside another test would report to that one.
    const { NODE_TEST_CONTEXT: _, ...env } = process.env;
    const child = spawn(
      "unshare",
      ["-rn", process.execPath, "--enable-source-maps", "--test-reporter=tap", fileURLToPath(file)],
      { env: { ...env, [marker]: "yes" }, stdio: ["ignore", "pipe", "pipe"] },
    );
    const output: Buffer[] = [];
    child.stdout.on("data", (chunk: Buffer) => output.push(chunk));
    child.stderr.on("data", (chunk: Buffer) => output.push(chunk));
    const code = await new Promise((resolve, reject) => {
      child.once("error", reject);
      child.once("close", resolve);
    });
    const text = Buffer.concat(output).toString();
    assert.equal(code, 0, text);
    assert.match(text, /^# pass [1-9]/m, "something was tested inside");
    assert.match(text, /^# skipped 0/m, "nothing was skipped inside");
  });
  return false;
}

export function ip(...args: readonly string[]): string {
  return execFileSync("ip", args, { stdio: ["ignore", "pipe", "pipe"], encoding: "utf8" });
}

/** A cable between va (10.77.0.1, fd77::1, fe80::1) and vb (the same with 2), both on this machine. */
export function addCable(): void {
  ip("link", "add", "va", "type", "veth", "peer", "name", "vb");
  cableUp();
}

/** The kernel forgets the IPv6 addresses of an interface that goes down, and so the paths must bind anew. */
export function cableUp(): void {
  nft("delete", "table", "inet", "cut");
  for (const [device, end] of [
    ["va", 1],
    ["vb", 2],
  ] as const) {
    ip("link", "set", device, "up");
    for (const address of [`fe80::${end}/64`, `fd77::${end}/64`])
      ip("address", "replace", address, "dev", device, "nodad");
    ip("address", "replace", `10.77.0.${end}/24`, "broadcast", "10.77.0.255", "dev", device);
  }
}

/** A broadcast comes back inside the machine that sent it, where the other end is here: that way is cut too. */
export function cutCable(): void {
  ip("link", "set", "va", "down");
  nft("add table inet cut; add chain inet cut in { type filter hook input priority 0; policy drop; }");
}

/** Both ends are on this one machine, which would not believe a frame that comes in with an address of its own. */
export function acceptLocal(): void {
  for (const device of ["va", "vb"]) {
    writeFileSync(`/proc/sys/net/ipv4/conf/${device}/accept_local`, "1");
    writeFileSync(`/proc/sys/net/ipv4/conf/${device}/rp_filter`, "0");
  }
}

/** What it printed; a table that is not there to be deleted is no error. */
export function nft(...args: readonly string[]): string {
  const { stdout, stderr, status } = spawnSync("nft", args, { encoding: "utf8" });
  if (status !== 0 && args[0] !== "delete") throw new Error(`nft ${args.join(" ")}: ${stderr}`);
  return stdout;
}
