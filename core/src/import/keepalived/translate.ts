/**
 * `understudy import keepalived`: from the VRRP part of keepalived.conf to our file, with a report of every line. Pure but
 * for the files that `include` names, which are read through a function.
 */

import type { Answers, Imported, Missing } from "../answers.js";
import { clusterName, draftText, emptyDraft } from "../draft.js";
import { canonical, settleHaAddresses } from "../ha-addresses.js";
import { findNodes } from "../nodes.js";
import { makeReport, type Report } from "../report.js";
import { type Sink, translateGroup, translateInstance } from "./instances.js";
import { sayer, sayRest, sayWhole } from "./reporting.js";
import { translateScript } from "./scripts.js";
import { type IncludeReader, type SourceFile, sourceLines } from "./source-lines.js";
import { type Statement, statements } from "./statements.js";

export function importKeepalived(main: SourceFile, readInclude: IncludeReader, answers: Answers): Imported {
  const report = makeReport([main.file]);
  const { lines, needsConfigId } = sourceLines(main, readInclude, answers.configId, report);
  const tree = statements(lines, report);
  const sink: Sink = {
    draft: emptyDraft(),
    report,
    say: sayer(report),
    wanted: [],
    own: [],
    peers: [],
    keepTimes: answers.keepTimes,
    later: [],
    failback: { nopreempt: false, delaySeconds: undefined },
  };
  const { draft } = sink;
  const notes = translateTop(sink, tree);
  const found = findNodes([], undefined, answers);
  draft.nodes = found.nodes ?? [];
  const missing: Missing[] = [
    ...found.missing.map((one) => withHint(one, sink)),
    ...settleHaAddresses(draft, sink.wanted, answers),
  ];
  for (const work of sink.later) work();
  settlePeers(sink);
  sayRest(report, tree);
  for (const name of answers.paths.keys())
    missing.push({
      flag: `(no --path ${name})`,
      why: "keepalived's files name one network only; add paths to the finished file",
    });
  if (needsConfigId)
    missing.push({
      flag: "--config-id NAME",
      why: "lines that begin with @ are for one machine: say for which",
    });
  draft.cluster = answers.cluster ?? clusterName(firstInstance(tree)) ?? draft.cluster;
  const { nopreempt, delaySeconds } = sink.failback;
  if (nopreempt) draft.failback = "manual";
  else if (delaySeconds !== undefined) draft.failback = { hold: `${Math.round(delaySeconds * 1000)}ms` };
  const text = missing.length > 0 ? undefined : draftText(draft, "keepalived.conf");
  return { text, entries: report.entries(), notes, missing };
}

function firstInstance(tree: readonly Statement[]): string {
  return tree.find(({ words }) => words[0] === "vrrp_instance")?.words[1] ?? "";
}

/** Names of the scripts that an instance or a group tracks. */
function trackedScripts(tree: readonly Statement[]): ReadonlySet<string> {
  return new Set(
    tree
      .filter(({ words: [word] }) => word === "vrrp_instance" || word === "vrrp_sync_group")
      .flatMap(({ children = [] }) => children.filter(({ words }) => words[0] === "track_script"))
      .flatMap(({ children = [] }) => children.map(({ words }) => words[0] ?? "")),
  );
}

const balancing =
  "load balancing and its checks are not what Understudy does: keepalived can go on doing it, without its VRRP part";
const staying = "it does not move: set it up with the system's own network configuration";

const dropped: ReadonlyMap<string, string> = new Map([
  ["virtual_server", balancing],
  ["virtual_server_group", balancing],
  ["SSL", balancing],
  ["static_ipaddress", staying],
  ["static_routes", staying],
  ["static_rules", staying],
  ["track_group", staying],
  ["bfd_instance", "Understudy probes the other node's kernel and its address by itself (rule R9)"],
  ["garp_group", "the address backend garp has a pace of its own"],
  ["vrrp_track_file", "Understudy has no such check; a service of the plugin exec can do it as its health"],
  ["track_file", "Understudy has no such check; a service of the plugin exec can do it as its health"],
  ["vrrp_track_process", "Understudy has no such check; the service systemd watches a unit, exec a program"],
  ["linkbeat_interfaces", "the kernel tells of lost carriers"],
  ["interface_up_down_delays", "a hold before failback covers it: failback.hold"],
  ["net_namespace", "run Understudy's units in that namespace (NetworkNamespacePath= of systemd)"],
]);

function translateTop(sink: Sink, tree: readonly Statement[]): readonly string[] {
  const { draft, report, say } = sink;
  const tracked = trackedScripts(tree);
  const grouped = new Set(
    tree
      .filter(({ words }) => words[0] === "vrrp_sync_group")
      .flatMap(({ children = [] }) => children.filter(({ words }) => words[0] === "group"))
      .flatMap(({ children = [] }) => children.flatMap(({ words }) => words)),
  );
  const instances: string[] = [];
  for (const statement of tree) {
    const [word = "", name = ""] = statement.words;
    if (word === "vrrp_instance") {
      const first = instances[0];
      const together = first === undefined || (grouped.has(first) && grouped.has(name));
      const note =
        first === undefined
          ? "its addresses are the HA addresses"
          : `its addresses move together with those of ${first}`;
      say(statement, together ? "taken" : "changed", together ? note : `${note}, which no group demanded`);
      instances.push(name);
      translateInstance(sink, statement);
    } else if (word === "vrrp_sync_group") {
      say(statement, "taken", "all HA addresses move as one");
      translateGroup(sink, statement);
    } else if (word === "vrrp_script") translateScript(draft, say, statement, tracked);
    else if (word === "global_defs") translateGlobals(report, statement);
    else
      sayWhole(report, statement, "dropped", dropped.get(word) ?? "no such word of keepalived is known here");
  }
  return notesOf(instances, tree);
}

function translateGlobals(report: Report, block: Statement): void {
  report.add(
    { file: block.file, line: block.line },
    "global_defs",
    "dropped",
    "each of its lines by itself:",
  );
  for (const statement of block.children ?? [])
    sayWhole(report, statement, "dropped", aboutGlobal(statement.words[0] ?? ""));
}

function aboutGlobal(word: string): string {
  if (/mail|^smtp/.test(word)) return "a hook of the observer exec can write a mail";
  if (word === "router_id") return "a node is known by its name in the config";
  if (/garp|gna/.test(word))
    return "the address backend garp announces until the segment agrees, then at an interval";
  if (/script/.test(word)) return "health, services and hooks run as the user of the node process";
  if (/snmp|traps|dbus|fifo|json/.test(word))
    return "Understudy tells what happens by its timeline, hooks and status --json";
  if (/priority|rlimit|no_swap|affinity|process_name|rttime/.test(word))
    return "pulse is small, locked in memory and real-time by itself, where the system allows it";
  if (/^lvs|^checker/.test(word)) return balancing;
  return "it is about keepalived itself or VRRP's packets";
}

function withHint({ flag, why }: Missing, { own, peers }: Sink): Missing {
  const known = [...new Set([...own, ...peers].map(({ address }) => address))];
  const hint = known.length === 0 ? "" : `; the file speaks of ${known.join(" and ")}`;
  return { flag, why: `${why}${hint}` };
}

/** Beats go between the first addresses of the nodes: says of each address of the file whether that is what it wanted. */
function settlePeers({ own, peers, draft, say }: Sink): void {
  const firsts = draft.nodes.map(([, addresses]) => addresses[0]);
  const all = draft.nodes.flatMap(([, addresses]) => addresses);
  for (const { address, statement } of [...own, ...peers]) {
    const name = canonical(address);
    if (firsts.includes(name)) say(statement, "taken", "beats go between these addresses of the nodes");
    else if (all.includes(name))
      say(
        statement,
        "changed",
        "beats go between the first addresses of the nodes, and this is a further one",
      );
    else
      say(
        statement,
        "changed",
        "beats go between the addresses given with --address, and this is none of them",
      );
  }
}

function notesOf(instances: readonly string[], tree: readonly Statement[]): readonly string[] {
  const notes = [
    "Both cannot hold the address: stop keepalived on both machines, or take its VRRP part out, before Understudy starts.",
    "keepalived has a file on each machine and Understudy one for both: compare the other machine's with this report.",
    "Understudy needs UDP and TCP ports 6940 to 6943 between the nodes.",
    "keepalived moves addresses alone: name under `services` what is to run where the address is.",
  ];
  if (instances.length === 0)
    notes.push("There is no vrrp_instance in the file: it says of no address that it moves.");
  if (tree.some(({ words }) => words[0] === "virtual_server"))
    notes.push("The virtual servers are not Understudy's: they must run on the node that has the address.");
  return notes;
}
