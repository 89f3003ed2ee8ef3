/** Whether time is read cheaply on this machine: pulse reads it thousands of times a second. */

import { readFileSync } from "node:fs";
import { type Finding, finding } from "./finding.js";

const slow = new Set(["acpi_pm", "hpet", "jiffies", "refined-jiffies", "pit"]);

export function checkClock(): readonly Finding[] {
  let source: string;
  try {
    source = readFileSync("/sys/devices/system/clocksource/clocksource0/current_clocksource", "utf8").trim();
  } catch {
    return [finding("clock", "note", "this system does not say which clock it reads")];
  }
  if (!slow.has(source)) return [finding("clock", "ok", `the clock source is ${source}`)];
  const todo =
    "Find out why the kernel gave up its fast clock (dmesg | grep clocksource), often the BIOS or hypervisor.";
  return [finding("clock", "warn", `the clock source is ${source}, which is slow to read`, todo)];
}
