/**
 * Which metrics there are, and how they follow from the status of the node and the counters. Pure. Base units only:
 * seconds and bytes; a state is one series a possible value, 1 for the one that holds.
 */

import type { PulseView, SessionsView, StatusView } from "@understudy/core/public";
import type { Counters } from "./counters.js";
import type { Labels, Metric, Sample } from "./exposition.js";

const roles = ["joining", "standby", "claiming", "active", "releasing", "maintenance", "failed"] as const;

const bit = (holds: boolean): number => (holds ? 1 : 0);
const seconds = (ms: number): number => ms / 1000;

type Value = number | undefined | readonly Sample[];

function metric(type: Metric["type"], name: string, help: string, value: Value): Metric {
  const samples = typeof value === "number" ? [{ value }] : (value ?? []);
  return { name: `understudy_${name}`, type, help, samples };
}

const gauge = (name: string, help: string, value: Value) => metric("gauge", name, help, value);
const counter = (name: string, help: string, value: Value) => metric("counter", name, help, value);

export function metricsOf(status: StatusView, counters: Counters): readonly Metric[] {
  const { cluster, node, side, version, pulse, sessions } = status;
  return [
    gauge("node_info", "Which node of which pair this is; always 1.", [
      { labels: { cluster, node, side, version }, value: 1 },
    ]),
    gauge("pulse_up", "Whether the node process hears the process that decides.", bit(pulse !== undefined)),
    ...(pulse === undefined ? [] : pulseMetrics(pulse)),
    ...(sessions === undefined ? [] : sessionMetrics(sessions)),
    ...serviceMetrics(status),
    ...counterMetrics(counters),
    ...processMetrics(status),
  ];
}

function pulseMetrics(pulse: PulseView): readonly Metric[] {
  const { peer, alarms, protections } = pulse;
  return [
    gauge("role", "The role of this node: 1 for the one it has.", oneOf(roles, pulse.role, "role")),
    gauge("role_duration_seconds", "How long this node has had its role.", seconds(pulse.roleForMs)),
    gauge("epoch", "The epoch this node serves or claims with; 0 when it has none.", pulse.epoch),
    gauge("highest_epoch", "The highest epoch this node knows of.", pulse.highestEpoch),
    gauge("verified", "Whether this node knows every acknowledged session (R24).", bit(pulse.verified)),
    gauge("maintenance", "Whether this node is in maintenance.", bit(pulse.maintenance)),
    gauge("peer_alive", "Whether the other node gives signs of life.", bit(peer.alive)),
    gauge(
      "peer_role",
      "The role of the other node as it last said.",
      peer.role === undefined ? undefined : oneOf(roles, peer.role, "role"),
    ),
    gauge("peer_in_sync", "Whether the other node believes that it has every session.", bit(peer.inSync)),
    gauge(
      "config_equal",
      "Whether both nodes go by the same config (R28).",
      peer.configEqual === undefined ? undefined : bit(peer.configEqual),
    ),
    gauge("dead_time_seconds", "The silence that counts as death now (R11).", seconds(pulse.deadTimeMs)),
    gauge("worst_silence_seconds", "The longest silence heard lately (R11).", seconds(pulse.worstSilenceMs)),
    ...pathMetrics(pulse),
    gauge(
      "protection_in_force",
      "Whether a protection keeps a dead or hung node from answering (R4).",
      protections.map(({ name, inForce }) => ({ labels: { protection: name }, value: bit(inForce) })),
    ),
    gauge(
      "alarm",
      "1 for each alarm that stands.",
      alarms.map(({ code }) => ({ labels: { alarm: code }, value: 1 })),
    ),
    gauge("alarms", "How many alarms stand.", alarms.length),
  ];
}

function pathMetrics({ paths }: PulseView): readonly Metric[] {
  const labelled = (value: (path: PulseView["paths"][number]) => number | undefined): readonly Sample[] =>
    paths.flatMap((path) => {
      const found = value(path);
      return found === undefined ? [] : [{ labels: { path: path.name, class: path.class }, value: found }];
    });
  const inSeconds = (ms: number | undefined) => (ms === undefined ? undefined : seconds(ms));
  return [
    gauge(
      "path_up",
      "Whether beats travel both ways on a path.",
      labelled(({ twoWay }) => bit(twoWay)),
    ),
    gauge(
      "path_latency_seconds",
      "One way, the median of the last 100 beats.",
      labelled(({ latencyMs }) => inSeconds(latencyMs)),
    ),
    gauge(
      "path_last_heard_seconds",
      "Time since the last beat on a path, when pulse last said so.",
      labelled(({ lastHeardMsAgo }) => inSeconds(lastHeardMsAgo)),
    ),
  ];
}

function sessionMetrics(sessions: SessionsView): readonly Metric[] {
  const { acknowledged } = sessions;
  return [
    gauge("sessions", "Sessions in the database of this node.", [
      { labels: { state: "running" }, value: sessions.running },
      { labels: { state: "ended" }, value: sessions.ended },
    ]),
    gauge("sessions_in_sync", "Whether both nodes have every session (R20).", bit(sessions.inSync)),
    gauge("sessions_verified", "Whether the databases were merged since the start.", bit(sessions.verified)),
    gauge("sessions_store_ok", "Whether a new session can be made durable here.", bit(sessions.store)),
    gauge("sessions_link_up", "Whether the replication link is up.", bit(sessions.linkUp)),
    gauge(
      "replication_unconfirmed_changes",
      "Own changes that the other node has not confirmed.",
      sessions.unconfirmed,
    ),
    gauge("database_size_bytes", "Size of the session database.", sessions.bytes),
    counter("sessions_acknowledged", "Changes acknowledged since the start of the node process.", [
      { labels: { durability: "replicated" }, value: acknowledged.replicated },
      { labels: { durability: "solo" }, value: acknowledged.solo },
    ]),
  ];
}

function serviceMetrics({ services }: StatusView): readonly Metric[] {
  return [
    gauge(
      "service_healthy",
      "Whether a service calls itself healthy.",
      services.map(({ name, health }) => ({ labels: { service: name }, value: bit(health === "healthy") })),
    ),
    gauge(
      "service_serving",
      "Whether a service was promoted and serves.",
      services.map(({ name, serving }) => ({ labels: { service: name }, value: bit(serving) })),
    ),
  ];
}

function counterMetrics({ entries, roleChanges, takeovers }: Counters): readonly Metric[] {
  return [
    counter("takeovers", "Times this node has become active since its process started.", takeovers),
    counter(
      "role_changes",
      "Role changes since the node process started.",
      [...roleChanges].map(([role, value]) => ({ labels: { role }, value })),
    ),
    counter("timeline_entries", "Entries of the timeline since the node process started.", entries),
  ];
}

function processMetrics({ process, pulse, observers }: StatusView): readonly Metric[] {
  const both = [
    { name: "node", ...process },
    ...(pulse === undefined ? [] : [{ name: "pulse", ...pulse.process }]),
  ];
  return [
    gauge(
      "process_resident_memory_bytes",
      "Memory of a process of this node.",
      both.map(({ name, rssBytes }) => ({ labels: { process: name }, value: rssBytes })),
    ),
    counter(
      "process_cpu_seconds",
      "Processor time of a process of this node.",
      both.map(({ name, cpuMs }) => ({ labels: { process: name }, value: seconds(cpuMs) })),
    ),
    counter(
      "observer_dropped_entries",
      "Timeline entries that an observer was too slow for.",
      observers.map(({ name, dropped }) => ({ labels: { observer: name }, value: dropped })),
    ),
  ];
}

/** A value that is none of the known ones gets a series of its own, so that it is seen. */
function oneOf(known: readonly string[], value: string, label: string): readonly Sample[] {
  const names = known.includes(value) ? known : [...known, value];
  return names.map((name) => {
    const labels: Labels = { [label]: name };
    return { labels, value: bit(name === value) };
  });
}
