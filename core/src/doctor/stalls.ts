/** Which profile this host can bear: measures its stalls as pulse would feel them, and compares with rule R11. */

import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { z } from "zod";
import type { Profile } from "../config/config.js";
import { type Finding, finding } from "./finding.js";

const measuredSchema = z.object({
  ticks: z.number(),
  p50: z.number(),
  p99: z.number(),
  p999: z.number(),
  worst: z.number(),
  realTime: z.object({ inForce: z.boolean(), detail: z.string() }),
});

/** Milliseconds between two ticks of 5 ms. */
export type Measured = z.infer<typeof measuredSchema>;

export async function measureStalls(seconds: number): Promise<Measured> {
  const meter = fileURLToPath(new URL("./stall-meter.js", import.meta.url));
  const limit = (seconds + 20) * 1000;
  const { stdout } = await promisify(execFile)(process.execPath, [meter, String(seconds)], {
    timeout: limit,
  });
  return measuredSchema.parse(JSON.parse(stdout));
}

/** R11: the dead time is 1.25 times the worst silence; a floor below that would be raised at once. */
const margin = 1.25;
const floors: Readonly<Record<Profile, number>> = { standard: 100, fast: 32 };
const ceilingMs = 400;

export function judgeStalls(measured: Measured, profile: Profile, seconds: number): readonly Finding[] {
  const { worst, p999, realTime } = measured;
  const bearable = (["fast", "standard"] as const).find((one) => worst * margin <= floors[one]);
  const figures = `in ${seconds} s the longest stall was ${ms(worst)}, 99.9 % were below ${ms(p999)}`;
  return [judgeScheduling(realTime), judgeProfile(profile, bearable, figures, worst)];
}

function judgeScheduling({ inForce, detail }: Measured["realTime"]): Finding {
  if (inForce) return finding("scheduling", "ok", detail);
  const todo = "Run pulse by its systemd unit or as root; in a container allow the capability SYS_NICE.";
  return finding("scheduling", "warn", `pulse does not run in real time: ${detail}`, todo);
}

/** Without preemption pulse waits for other processes' calls into the kernel: 8 to 22 ms measured on Linux 6.18. */
const causes = "hypervisor, power saving, load, a kernel that was not started with preempt=full";

function judgeProfile(
  profile: Profile,
  bearable: Profile | undefined,
  figures: string,
  worst: number,
): Finding {
  if (bearable === undefined) {
    const deadTime = Math.min(ceilingMs, Math.round(worst * margin));
    const what = `${figures}: the dead time would grow to about ${deadTime} ms by itself (rule R11)`;
    const todo = `Look for the cause (${causes}); takeovers are slower on such a host, not unsafe.`;
    return finding("stalls", "warn", what, todo);
  }
  if (profile === "fast" && bearable === "standard") {
    const todo = `Set heartbeat.profile to standard, or find the cause of the stalls (${causes}).`;
    return finding(
      "stalls",
      "warn",
      `${figures}: this host bears standard, not fast, which the config asks for`,
      todo,
    );
  }
  const could = profile === "standard" && bearable === "fast" ? "; it could bear fast" : "";
  return finding("stalls", "ok", `${figures}: this host bears the profile ${profile}${could}`);
}

function ms(value: number): string {
  return `${value.toFixed(1)} ms`;
}
