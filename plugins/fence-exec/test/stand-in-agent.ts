/**
 * A fence agent that does nothing but keep the API: reads name=value lines, keeps the power of its plugs in files, and
 * fails in the way its mode says. Written for /bin/sh, so that it needs what every host has.
 */

import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface StandIn {
  readonly folder: string;
  readonly agent: string;
  /** well: as it should; refuses: exit 1; hangs: never answers; lies: says it is off, and it is not; mute: off works, status fails. */
  mode(mode: "well" | "refuses" | "hangs" | "lies" | "mute"): void;
  power(plug: string): string;
  /** What it was asked, oldest first: the lines of each call, joined by a blank. */
  calls(): readonly string[];
  remove(): void;
}

const script = `#!/bin/sh
folder=$(dirname "$0")
asked=; action=; plug=
while IFS= read -r line; do
  case "$line" in \\#*) continue ;; esac
  asked="$asked$line "
  case "\${line%%=*}" in action) action=\${line#*=} ;; plug) plug=\${line#*=} ;; esac
done
echo "$asked" >> "$folder/calls"
mode=$(cat "$folder/mode")
case "$mode" in
  refuses) echo "Unable to connect/login to fencing device" >&2; exit 1 ;;
  hangs) sleep 600 & echo $! >> "$folder/sleepers"; wait; exit 0 ;;
esac
power=$(cat "$folder/power-$plug" 2>/dev/null || echo on)
case "$action" in
  off) [ "$mode" = lies ] || echo off > "$folder/power-$plug"; exit 0 ;;
  reboot) echo rebooted > "$folder/power-$plug"; exit 0 ;;
  status|monitor) [ "$mode" != mute ] || exit 1; [ "$power" = off ] && exit 2; exit 0 ;;
esac
exit 1
`;

export function standIn(): StandIn {
  const folder = mkdtempSync(join(tmpdir(), "understudy-fence-"));
  const agent = join(folder, "fence_stand_in");
  writeFileSync(agent, script);
  chmodSync(agent, 0o755);
  const at = (name: string) => join(folder, name);
  const read = (name: string) => (existsSync(at(name)) ? readFileSync(at(name), "utf8") : "");
  writeFileSync(at("mode"), "well");
  return {
    folder,
    agent,
    mode: (mode) => writeFileSync(at("mode"), mode),
    power: (plug) => read(`power-${plug}`).trim() || "on",
    calls: () =>
      read("calls")
        .split("\n")
        .filter(Boolean)
        .map((line) => line.trim()),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
