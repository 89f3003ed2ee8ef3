/**
 * One line and one exit code for monitoring, as Nagios and its kin want them: 0 ok, 1 warning, 2 critical, 3 unknown.
 * Critical is what clients notice or may lose by; a warning is what makes the next fault worse. Pure.
 */

import type { AlarmCode } from "../failover/action.js";
import type { NodeStatus } from "../ipc/control.js";
import type { PulseStatus } from "../ipc/messages.js";

export interface CheckResult {
  readonly code: 0 | 1 | 2 | 3;
  readonly line: string;
}

const criticalAlarms: readonly AlarmCode[] = ["ADDRESS_CONFLICT", "ADDRESS_REFUSED", "SERVING_STALE"];

export function checkStatus(status: NodeStatus): CheckResult {
  const { pulse } = status;
  if (pulse === undefined) {
    const what = status.pulseSilentMs === undefined ? "is not running" : "does not answer";
    return result(status, [`pulse ${what} on this node`], []);
  }
  return result(status, criticals(status, pulse), warnings(status, pulse));
}

export function checkUnknown(why: string): CheckResult {
  return { code: 3, line: `UNDERSTUDY UNKNOWN - ${why}` };
}

function result(status: NodeStatus, critical: readonly string[], warning: readonly string[]): CheckResult {
  const found = [...critical, ...warning];
  const code = critical.length > 0 ? 2 : warning.length > 0 ? 1 : 0;
  const word = ["OK", "WARNING", "CRITICAL"][code];
  const words = found.length > 0 ? found.join("; ") : wellWords(status);
  return { code, line: `UNDERSTUDY ${word} - ${words} | ${figures(status)}` };
}

function wellWords({ node, peerName, pulse }: NodeStatus): string {
  return `${node} is ${pulse?.role}, ${peerName} is ${pulse?.peer.role}, in sync`;
}

function criticals(status: NodeStatus, pulse: PulseStatus): readonly string[] {
  const { role, peer } = pulse;
  const serves = role === "active" || role === "claiming" || role === "releasing";
  const peerServes = peer.alive && (peer.role === "active" || peer.role === "claiming");
  const found: string[] = [];
  if (role === "failed") found.push(`this node has failed: ${pulse.reason}`);
  if (!serves && !peerServes) found.push("nobody serves, as far as this node knows");
  if (role === "active") {
    const failing = status.services.filter(
      ({ health, problem }) => health === "failing" || problem !== undefined,
    );
    if (failing.length > 0) found.push(`services fail: ${failing.map(({ name }) => name).join(", ")}`);
    if (status.sessions?.store === false)
      found.push(`no new session can be stored: ${status.sessions.problem ?? "?"}`);
  }
  for (const { code, detail } of pulse.alarms) {
    if (criticalAlarms.includes(code)) found.push(`${code}: ${detail}`);
  }
  return found;
}

function warnings(status: NodeStatus, pulse: PulseStatus): readonly string[] {
  const { peer } = pulse;
  const found: string[] = [];
  if (!peer.alive) found.push(`${status.peerName} is not there`);
  else if (!peer.inSync || status.sessions?.inSync === false) found.push("the nodes are not in sync");
  if (pulse.maintenance) found.push("maintenance is on");
  if (pulse.role !== "active") {
    const failing = status.services.filter(
      ({ health, problem }) => health === "failing" || problem !== undefined,
    );
    if (failing.length > 0) found.push(`services fail here: ${failing.map(({ name }) => name).join(", ")}`);
    if (status.sessions?.store === false)
      found.push(`this node stores no session: ${status.sessions.problem ?? "?"}`);
  }
  if (peer.configEqual === false) found.push("the nodes' configs differ");
  for (const { code, detail } of pulse.alarms) {
    // What is said above in other words.
    if (criticalAlarms.includes(code) || code === "PEER_DEAD" || code === "CONFIG_DIFFERS") continue;
    found.push(`${code}: ${detail}`);
  }
  return found;
}

/** Performance data: label=value. */
function figures({ sessions, pulse }: NodeStatus): string {
  const values: readonly (readonly [string, number | undefined])[] = [
    ["epoch", pulse?.highestEpoch],
    ["sessions", sessions?.running],
    ["unconfirmed", sessions?.unconfirmed],
    ["alarms", pulse?.alarms.length],
  ];
  return values.flatMap(([name, value]) => (value === undefined ? [] : [`${name}=${value}`])).join(" ");
}
