/**
 * `understudy import heartbeat`: from the three files of Linux-HA Heartbeat to our one, with a report of every line. Pure.
 */

import { parseHostAddress } from "../../config/ip-text.js";
import type { Answers, Imported, Missing } from "../answers.js";
import { clusterName, type Draft, draftText, emptyDraft } from "../draft.js";
import { settleHaAddresses, type WantedHa } from "../ha-addresses.js";
import { findNodes } from "../nodes.js";
import { makeReport, type Report } from "../report.js";
import { readAuthkeys } from "./authkeys.js";
import { readDirective } from "./directives.js";
import { confLines } from "./ha-cf-lines.js";
import { type Decision, emptyHaCf, type HaCfState } from "./ha-cf-state.js";
import { resourceGroups, resourceOf } from "./haresources.js";
import { mediaPaths } from "./media-paths.js";
import { translateResource } from "./resources.js";

/** Texts of the files; undefined for one that is not there. */
export interface HeartbeatFiles {
  readonly haCf: string;
  readonly haresources: string | undefined;
  readonly authkeys: string | undefined;
}

export function importHeartbeat(files: HeartbeatFiles, answers: Answers): Imported {
  const report = makeReport(["ha.cf", "haresources", "authkeys"]);
  const draft = emptyDraft();
  const state = emptyHaCf(answers.keepTimes);
  for (const line of confLines(files.haCf)) readDirective(state, line);
  for (const { line, settle } of state.settings.values()) state.said.push({ line, decision: settle() });

  const wanted: WantedHa[] = [];
  const later: (() => void)[] = [];
  const primary = readResources(files.haresources ?? "", state, draft, report, wanted, later);
  const found = findNodes(state.nodes, primary, answers);
  draft.nodes = found.nodes ?? [];
  const missing: Missing[] = [...found.missing, ...settleHaAddresses(draft, wanted, answers)];
  for (const work of later) work();
  const client = wanted.find(({ interfaceName }) => interfaceName !== undefined)?.interfaceName;
  const { paths, missing: unknownPaths, decisions } = mediaPaths(state.media, client, found.nodes, answers);
  missing.push(...unknownPaths);
  draft.paths.push(...paths);
  for (const [{ line }, decision] of decisions) state.said.push({ line, decision });
  settlePings(state, draft);
  settleNodes(state, found.chosen);
  reportHaCf(report, state);
  if (files.authkeys !== undefined) readAuthkeys(report, "authkeys", files.authkeys);

  draft.cluster = answers.cluster ?? clusterName(state.cluster ?? "") ?? draft.cluster;
  draft.deadMs = answers.keepTimes ? state.deadtimeMs : undefined;
  draft.aloneAfterMs =
    state.initdeadMs === undefined ? undefined : Math.min(86_400_000, Math.round(state.initdeadMs));
  draft.failback =
    state.autoFailback === "off" ? "manual" : state.autoFailback === undefined ? undefined : "auto";
  if (state.watchdog !== undefined) draft.further.watchdog = { device: state.watchdog };
  if (state.debug) draft.further.log = { level: "debug" };
  if (state.pacemaker !== undefined) {
    const why = `line ${state.pacemaker.number} of ha.cf hands everything to Pacemaker, whose configuration is not in these files`;
    missing.push({ flag: "(no flag helps)", why });
  }
  const text = missing.length > 0 ? undefined : draftText(draft, "Heartbeat's ha.cf and haresources");
  return { text, entries: report.entries(), notes: notesOf(state, files), missing };
}

/** Returns the node that normally serves. */
function readResources(
  text: string,
  state: HaCfState,
  draft: ReturnType<typeof emptyDraft>,
  report: Report,
  wanted: WantedHa[],
  later: (() => void)[],
): string | undefined {
  let primary: string | undefined;
  for (const { node, resources, firstLine, lastLine } of resourceGroups(text)) {
    const place = { file: "haresources", line: firstLine, lastLine };
    if (node.word === "") {
      report.add(place, "\\", "dropped", "nothing stands here but a continuation");
      continue;
    }
    if (!state.nodes.includes(node.word))
      report.add(
        place,
        node.word,
        "changed",
        "no node line of ha.cf names it (Heartbeat refuses that); its resources are taken over",
      );
    else if (primary === undefined || primary === node.word) {
      primary = node.word;
      report.add(place, node.word, "taken", "the primary: it normally serves");
    } else
      report.add(
        place,
        node.word,
        "changed",
        `all addresses and services are on one node at a time: these move to ${primary} too`,
      );
    for (const [index, { line, word }] of resources.entries()) {
      const at = { file: "haresources", line, column: index + 1 };
      const decide = ({ fate, note }: Decision) => report.add(at, word, fate, note);
      translateResource(
        {
          draft,
          decide,
          later: (work) => void later.push(work),
          wantAddress: (address, right) =>
            void wanted.push({
              ...address,
              settled: (problem) =>
                decide(problem === undefined ? right : { fate: "dropped", note: problem }),
            }),
        },
        resourceOf(word),
      );
    }
  }
  return primary;
}

function settleNodes(state: HaCfState, chosen: readonly string[]): void {
  for (const line of state.nodeLines) {
    const left = line.options.filter((name) => chosen.length > 0 && !chosen.includes(name.toLowerCase()));
    const decision: Decision =
      left.length === 0
        ? { fate: "taken", note: "a node of the pair; names are compared in lower case, as Heartbeat does" }
        : { fate: "changed", note: `a pair has two nodes: ${left.join(" and ")} is left out` };
    state.said.push({ line, decision });
  }
}

/** What the plugin ping takes as one group. */
const mostPingTargets = 16;

/**
 * ipfail moves the service to the node that reaches more ping nodes; our arbiter holds back a node that reaches none.
 * One group of all targets: with a group for each, a single dead gateway would hold both nodes back.
 */
function settlePings(state: HaCfState, draft: Draft): void {
  const targets: string[] = [];
  for (const { line, targets: written } of state.pings) {
    state.said.push({ line, decision: state.ipfail ? takePings(written, targets) : pingsIdle });
  }
  if (targets.length > 0) draft.arbiters.push({ plugin: "ping", targets });
}

const pingsIdle: Decision = {
  fate: "dropped",
  note: "without ipfail it decides nothing in Heartbeat either; an arbiter of the plugin ping would veto a claim",
};

/** Adds those that are addresses: names would need a name server while the network is broken. */
function takePings(written: readonly string[], targets: string[]): Decision {
  const left = written.filter((target) => {
    const parsed = parseHostAddress(target);
    if (!("address" in parsed) || parsed.prefixLength !== undefined) return true;
    if (targets.includes(parsed.address)) return false;
    if (targets.length >= mostPingTargets) return true;
    targets.push(parsed.address);
    return false;
  });
  if (left.length === written.length)
    return {
      fate: "dropped",
      note: `the arbiter ping takes up to ${mostPingTargets} addresses, and no names`,
    };
  const note =
    "a target of the arbiter ping: a node that reaches none of them claims nothing; ipfail compared how many each reaches";
  return {
    fate: "changed",
    note: left.length === 0 ? note : `${note}; ${left.join(" and ")} is left out: it takes addresses alone`,
  };
}

function reportHaCf(report: Report, state: HaCfState): void {
  for (const { line, decision, text } of state.said.toSorted((a, b) => a.line.number - b.line.number)) {
    const place = { file: "ha.cf", line: line.number };
    report.add(place, text ?? `${line.written} ${line.rest}`, decision.fate, decision.note);
  }
}

function notesOf(state: HaCfState, files: HeartbeatFiles): readonly string[] {
  const notes = [
    "Both cannot run at once: stop Heartbeat on both nodes before Understudy starts, and disable it there.",
    "Understudy takes the address first and then starts the services, in the order of the file.",
    "Understudy needs UDP and TCP ports 6940 to 6943 between the nodes.",
  ];
  if (files.haresources === undefined)
    notes.push("There is no haresources in that folder: nothing says what was to run.");
  if (files.authkeys === undefined)
    notes.push("There is no authkeys in that folder, and none is needed: Understudy has a key of its own.");
  if (state.autoFailback === undefined)
    notes.push(
      "ha.cf says nothing of auto_failback; Heartbeat then takes back at once (legacy), Understudy once it is in sync.",
    );
  if (state.stonith)
    notes.push(
      "Heartbeat fenced the other node here. The new file does not: add a fence before you rely on it for shared disks.",
    );
  if (!state.media.some(({ kind }) => kind !== "serial"))
    notes.push("No beats went over the clients' network. Understudy needs that path, so it was added.");
  return notes;
}
