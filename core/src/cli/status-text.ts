/**
 * The status of a node as a person reads it: who serves, since when and why; what would happen if the other node died;
 * what protects and what does not. Pure: the same status always gives the same text.
 */

import type { NodeStatus } from "../ipc/control.js";
import type { PathStatus, PulseStatus } from "../ipc/messages.js";
import type { ArbiterStatus } from "../node/arbiters.js";
import type { FenceStatus } from "../node/fences.js";
import type { SessionStatus } from "../node/session-engine.js";
import { ageText, bytesText, countText } from "./words.js";

const labelWidth = 15;
const fullHealth = 15;

export function statusText(status: NodeStatus): string {
  const { pulse } = status;
  const parts: readonly (readonly string[])[] = [
    headline(status),
    pulse === undefined ? [] : whoServes(status, pulse),
    block("alarms", pulse === undefined ? [] : alarmLines(pulse)),
    block("paths", pulse === undefined ? [] : pathLines(pulse)),
    block("address", pulse?.address ?? []),
    block("sessions", sessionLines(status.sessions)),
    block("services", serviceLines(status)),
    block("arbiters", status.arbiters.map(arbiterLine)),
    block("fences", status.fences.map(fenceLine)),
    block("observers", observerLines(status)),
    block("protections", pulse === undefined ? [] : protectionLines(pulse)),
    block("processes", processLines(status)),
  ];
  return parts.flat().join("\n");
}

function headline(status: NodeStatus): readonly string[] {
  const { node, side, cluster, pulse } = status;
  const who = `${node} (${side} of ${cluster})`;
  if (pulse === undefined && status.pulseSilentMs !== undefined) {
    return [
      `${who}: PULSE DOES NOT ANSWER, for ${ageText(status.pulseSilentMs)}`,
      "  The process that decides hangs or is stopped: its right to answer for the HA address has ended (rule R1), and",
      "  this node cannot take it. See its log, then `systemctl restart understudy-pulse`.",
    ];
  }
  if (pulse === undefined) {
    return [
      `${who}: PULSE IS NOT RUNNING`,
      "  The process that decides is not there: this node does not hold the HA address and cannot take it.",
      "  Start it with `systemctl start understudy-pulse`, and see its log for why it ended.",
    ];
  }
  const epoch = pulse.epoch > 0 ? `, epoch ${pulse.epoch}` : "";
  const since = ageText(pulse.atMs - pulse.roleSinceMs);
  return [`${who}: ${pulse.role.toUpperCase()}${epoch}, for ${since}`, `  ${sentence(pulse.reason)}`];
}

/** The core's reasons are clauses, meant to stand in a sentence. */
function sentence(text: string): string {
  return ended(text.charAt(0).toUpperCase() + text.slice(1));
}

/** What begins with a name keeps its small letter. */
function ended(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`;
}

function block(label: string, lines: readonly string[]): readonly string[] {
  return lines.map((line, index) => `  ${(index === 0 ? label : "").padEnd(labelWidth)} ${line}`);
}

function whoServes(status: NodeStatus, pulse: PulseStatus): readonly string[] {
  return [
    ...block("serving", [servingLine(status, pulse)]),
    ...block("other node", [peerLine(status, pulse)]),
    ...block("if it died now", [pulse.ifPeerDied]),
    ...block("failback", pulse.failback === undefined ? [] : [sentence(`waits: ${pulse.failback}`)]),
    ...block("preferred", [pulse.preference]),
    ...block("maintenance", pulse.maintenance ? ["on, until `understudy maintenance off`"] : []),
  ];
}

function servingLine(status: NodeStatus, pulse: PulseStatus): string {
  const address = status.haAddresses.join(", ");
  if (pulse.role === "active") return `${address} on ${status.node} (this node)`;
  if (pulse.role === "claiming") return `${address}: ${status.node} (this node) is taking it`;
  if (pulse.role === "releasing") return `${address}: ${status.node} (this node) is giving it up`;
  if (pulse.peer.alive && pulse.peer.role === "active") return `${address} on ${status.peerName}`;
  if (pulse.peer.alive && pulse.peer.role === "claiming")
    return `${address}: ${status.peerName} is taking it`;
  return `${address}: nobody, as far as this node knows`;
}

function peerLine(status: NodeStatus, pulse: PulseStatus): string {
  const { peer } = pulse;
  if (!peer.alive)
    return `${status.peerName}: NOT THERE${peer.epoch > 0 ? `, last heard with epoch ${peer.epoch}` : ""}`;
  const facts = [
    `${peer.role ?? "role unknown"}${peer.epoch > 0 ? `, epoch ${peer.epoch}` : ""}`,
    healthText(peer.healthScore),
    peer.verified ? undefined : "has not merged its sessions yet",
    syncText(status, pulse),
    peer.configEqual === false ? "ITS CONFIG DIFFERS" : undefined,
  ];
  return `${status.peerName}: ${facts.filter((fact) => fact !== undefined).join(", ")}`;
}

function syncText(status: NodeStatus, { peer }: PulseStatus): string {
  const own = status.sessions?.inSync ?? peer.inSync;
  if (own && peer.inSync) return "in sync";
  return own === peer.inSync ? "NOT IN SYNC" : `NOT IN SYNC (says ${own ? status.peerName : status.node})`;
}

/** Health counts as bits: see failover/health.ts. */
function healthText(score: number): string {
  if (score >= fullHealth) return "healthy";
  const names = [
    [8, "client network"],
    [4, "node process"],
    [2, "services"],
    [1, "session store"],
  ] as const;
  const without = names.filter(([bit]) => (score & bit) === 0).map(([, name]) => name);
  return `WITHOUT ${without.join(", ")}`;
}

function alarmLines(pulse: PulseStatus): readonly string[] {
  if (pulse.alarms.length === 0) return ["none"];
  return pulse.alarms.map(
    ({ code, detail, sinceMs }) => `${code} for ${ageText(pulse.atMs - sinceMs)}: ${ended(detail)}`,
  );
}

/** The rhythm of a slow path is said: it explains what it was heard last. */
function pathLines({ paths }: PulseStatus): readonly string[] {
  const quickestMs = Math.min(...paths.map(({ intervalMs }) => intervalMs));
  return paths.map((path) => {
    const slow = path.intervalMs > quickestMs ? ` (a beat every ${Math.round(path.intervalMs)} ms)` : "";
    return pathLine(path, slow);
  });
}

function pathLine(path: PathStatus, rhythm: string): string {
  const heard =
    path.lastHeardMsAgo === undefined ? "never heard" : `heard ${ageText(path.lastHeardMsAgo)} ago`;
  const latency = path.latencyMs === undefined ? "" : `, ${path.latencyMs.toFixed(1)} ms`;
  const state = {
    "two-way": `two-way${latency}`,
    "from-peer": "ONE WAY: the other node does not hear this one",
    "to-peer": "ONE WAY: the other node hears this one, but is not heard",
    silent: "SILENT",
  }[path.direction];
  return `${path.name} (${path.class}): ${state}, ${heard}${rhythm}; ${path.description}`;
}

function sessionLines(sessions: SessionStatus | undefined): readonly string[] {
  if (sessions === undefined) return ["none are kept here: the services keep their own data"];
  const { running, ended, bytes, inSync, unconfirmed, acknowledged, transfer, problem } = sessions;
  const safe = inSync
    ? "in sync"
    : `NOT IN SYNC${sessions.link === "connected" ? "" : ", no link to the other node"}`;
  const waiting =
    unconfirmed === 0 ? "" : `, ${countText(unconfirmed)} changes not confirmed by the other node`;
  const lines = [
    `${countText(running)} running, ${countText(ended)} ended, ${bytesText(bytes)}; ${safe}${waiting}`,
    `acknowledged ${countText(acknowledged.replicated)} replicated, ${countText(acknowledged.solo)} solo`,
    sessions.storeDescription,
  ];
  if (transfer !== undefined) lines.splice(1, 0, transferLine(transfer));
  if (sessions.waitingFor !== undefined) lines.splice(1, 0, sentence(`waits: ${sessions.waitingFor}`));
  if (problem !== undefined) lines.splice(1, 0, `PROBLEM: ${sentence(problem)}`);
  else if (!sessions.store) lines.splice(1, 0, "PROBLEM: no new session can be stored here.");
  return lines;
}

function transferLine(transfer: NonNullable<SessionStatus["transfer"]>): string {
  const { direction, doneBytes, totalBytes } = transfer;
  const share = totalBytes === 0 ? 0 : Math.floor((100 * doneBytes) / totalBytes);
  return `${direction} the database: ${bytesText(doneBytes)} of ${bytesText(totalBytes)} (${share}%)`;
}

function serviceLines({ services }: NodeStatus): readonly string[] {
  return services.flatMap(({ name, description, health, serving, problem }) => {
    const state = health === "failing" ? "FAILING" : health;
    const line = `${name}: ${serving ? "serving" : "not serving"}, ${state}; ${description}`;
    return problem === undefined ? [line] : [line, `  ${sentence(problem)} It is tried again.`];
  });
}

function arbiterLine({
  name,
  exclusive,
  description,
  verdict,
  why,
  saidMsAgo,
  problem,
}: ArbiterStatus): string {
  const kind = exclusive ? "exclusive" : "may veto";
  const said =
    verdict === undefined || saidMsAgo === undefined
      ? "not asked yet"
      : `${verdict} ${ageText(saidMsAgo)} ago${why === description ? "" : `: ${why}`}`;
  return `${name} (${kind}): ${description}; ${said}${problem === undefined ? "" : `; PROBLEM: ${problem}`}`;
}

function fenceLine({ name, description, problem, last, firing }: FenceStatus): string {
  const state = problem === undefined ? "ready" : `CANNOT BE USED: ${problem}`;
  // One that cannot be used at all has nothing else to say of itself, nor of how it was fired.
  const itself = !firing && problem === description ? "" : `; ${description}`;
  const detail = last?.detail === description ? "" : `: ${last?.detail}`;
  const before =
    last === undefined ? "" : `; fired ${ageText(last.finishedMsAgo)} ago, ${last.outcome}${detail}`;
  return `${name}: ${firing ? "IS BEING FIRED" : state}${itself}${before}`;
}

function observerLines({ observers }: NodeStatus): readonly string[] {
  return observers.map(
    ({ name, description, dropped }) =>
      `${name}: ${description}${dropped === 0 ? "" : `; ${countText(dropped)} entries dropped`}`,
  );
}

function protectionLines({ protections }: PulseStatus): readonly string[] {
  return [...protections]
    .sort((a, b) => Number(b.inForce) - Number(a.inForce))
    .map(({ name, inForce, detail }) => `${inForce ? "in force" : "NOT IN FORCE"}  ${name}: ${detail}`);
}

function processLines(status: NodeStatus): readonly string[] {
  const { pulse } = status;
  const pulseLine =
    pulse === undefined
      ? `pulse: ${status.pulseSilentMs === undefined ? "not running" : "does not answer"}`
      : `pulse: pid ${pulse.pid}, ${bytesText(pulse.rssBytes)}; dead time ${Math.round(pulse.deadTimeMs)} ms, worst silence ${Math.round(pulse.worstSilenceMs)} ms`;
  return [
    pulseLine,
    `node: pid ${status.pid}, ${bytesText(status.rssBytes)}, started ${status.startedAt}; link ${status.nodeLink}`,
    `version ${status.version}, config ${status.configDigest}`,
  ];
}
