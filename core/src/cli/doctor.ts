/**
 * `understudy doctor`: looks at this host and at the other node as far as it can be seen from here, says what the pair
 * can promise on them, and measures which profile this host can bear.
 */

import { type Command, InvalidArgumentError } from "commander";
import { loadConfig } from "../config/load.js";
import { checkClock } from "../doctor/clock.js";
import type { Finding, Level } from "../doctor/finding.js";
import { checkNetwork } from "../doctor/network.js";
import { checkNftables } from "../doctor/nftables.js";
import { checkPeer } from "../doctor/peer.js";
import { checkPrivileges } from "../doctor/privileges.js";
import { checkRunning } from "../doctor/running.js";
import { judgeStalls, measureStalls } from "../doctor/stalls.js";
import { checkWatchdog } from "../doctor/watchdog.js";
import { explain } from "../errors/error.js";
import { type KeyRing, readKeyFile } from "../keys/key-file.js";
import { askerOf } from "./ask-node.js";
import { examples, globalOptions, print, printJson } from "./command.js";

interface DoctorOptions {
  readonly seconds: number;
  readonly json?: boolean;
}

export function define(command: Command): void {
  command
    .description(
      "Looks at privileges, interfaces, nftables, scheduling and clock of this host, and at the other node as far as it " +
        "can be seen from here; measures this host's own stalls as pulse would feel them. Changes nothing. Exit code 1 " +
        "when something would keep the pair from its promises.",
    )
    .option("--seconds <number>", "how long stalls are measured, 0 to leave it out", wholeSeconds, 10)
    .option("--json", "print as JSON")
    .addHelpText(
      "after",
      examples(
        ["understudy doctor", "before the first start, on each node"],
        ["understudy doctor --seconds 600", "while the host does its usual work: which profile it can bear"],
      ),
    )
    .action(async (options: DoctorOptions) => {
      const { config, node } = globalOptions(command);
      const findings = await examine(config, node, options.seconds);
      if (options.json === true) printJson(findings);
      else printFindings(findings);
      process.exitCode = findings.some(({ level }) => level === "fail") ? 1 : 0;
    });
}

function wholeSeconds(text: string): number {
  if (!/^\d{1,5}$/.test(text))
    throw new InvalidArgumentError("It must be a whole number of seconds, below 100000.");
  return Number(text);
}

async function examine(
  file: string | undefined,
  node: string | undefined,
  seconds: number,
): Promise<readonly Finding[]> {
  const local = await loadConfig(file, { node });
  const found: Finding[] = [
    ...checkPrivileges(),
    ...checkNetwork(local),
    ...checkNftables(),
    ...checkClock(),
    ...checkWatchdog(local.config),
  ];
  let ring: KeyRing | undefined;
  try {
    ring = readKeyFile(local.config.keyFile);
  } catch (error) {
    found.push({ about: "key", level: "fail", what: explain(error) });
  }
  found.push(...(await checkPeer(local, ring)), ...(await checkRunning(local, askerOf(local))));
  if (seconds > 0) {
    if (process.stderr.isTTY) process.stderr.write(`measuring stalls for ${seconds} s …\n`);
    found.push(...judgeStalls(await measureStalls(seconds), local.config.heartbeat.profile, seconds));
  }
  return found;
}

const marks: Readonly<Record<Level, string>> = { ok: "ok  ", note: "    ", warn: "WARN", fail: "FAIL" };

function printFindings(findings: readonly Finding[]): void {
  for (const { about, level, what, todo } of findings) {
    print(
      `${marks[level]} ${about.padEnd(11)} ${what}${todo === undefined ? "" : `\n${" ".repeat(17)}${todo}`}`,
    );
  }
  const count = (level: Level) => findings.filter((one) => one.level === level).length;
  print(`\n${count("fail")} to mend, ${count("warn")} to know`);
}
