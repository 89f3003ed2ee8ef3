/**
 * Whether the kernel can hold the lease (rule R1): loads rules of the kind it needs in a network namespace of its own,
 * which goes with the process, so that nothing of this host is touched.
 */

import { spawnSync } from "node:child_process";
import { type Finding, finding } from "./finding.js";

const rules = `add table netdev understudy_doctor
add set netdev understudy_doctor lease { type ether_type; size 8; flags dynamic,timeout; timeout 250ms; }
add chain netdev understudy_doctor out { type filter hook egress device "lo" priority 0; policy accept; }
add chain netdev understudy_doctor in { type filter hook ingress device "lo" priority 0; policy accept; }
add rule netdev understudy_doctor out udp dport 6940 meta protocol & 0 @lease update @lease { meta protocol & 0 timeout 250ms } drop
`;

const without =
  "the guard and the address lifetime alone would withdraw the address of a dead node, in about 2 s";

/** `platform`: of this process; only a test says another. */
export function checkNftables(platform: NodeJS.Platform = process.platform): readonly Finding[] {
  if (platform !== "linux") {
    const what = `${platform} has no nftables and so no kernel lease: the guards of the address backend withdraw alone`;
    return [finding("nftables", "note", what)];
  }
  const path = `${process.env.PATH ?? ""}:/usr/sbin:/sbin`;
  const options = {
    input: rules,
    encoding: "utf8" as const,
    env: { ...process.env, PATH: path },
    timeout: 10_000,
  };
  const version = spawnSync("nft", ["--version"], options);
  if (version.error !== undefined) {
    return [finding("nftables", "warn", `nft is not installed: ${without}`, "Install the package nftables.")];
  }
  const userNamespace = process.geteuid?.() === 0 ? [] : ["--map-root-user"];
  const tried = spawnSync("unshare", [...userNamespace, "--net", "nft", "-f", "-"], options);
  const name = version.stdout.trim().split(" (")[0];
  if (tried.error !== undefined || /unshare/.test(tried.stderr)) {
    const why = tried.error?.message ?? tried.stderr.trim();
    return [
      finding(
        "nftables",
        "note",
        `${name} is there; whether the kernel takes the rules was not tried: ${why}`,
      ),
    ];
  }
  if (tried.status === 0) {
    return [
      finding("nftables", "ok", `${name}: the kernel holds the lease (netdev egress and ingress hooks)`),
    ];
  }
  const why = tried.stderr.trim().split("\n")[0] ?? "";
  const todo =
    "Use a kernel of 5.16 or newer with nftables' netdev family and egress hook, and nft 1.0.1 or newer.";
  return [
    finding("nftables", "warn", `the kernel or nft refuses the lease's rules (${why}): ${without}`, todo),
  ];
}
