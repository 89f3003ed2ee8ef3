/** What stands in `vrrp_instance` and `vrrp_sync_group`, word by word. */

import { isIP } from "node:net";
import type { Draft } from "../draft.js";
import type { WantedHa } from "../ha-addresses.js";
import type { Report } from "../report.js";
import { type Say, sayWhole } from "./reporting.js";
import { translateRouting } from "./routes.js";
import { translateNotify } from "./scripts.js";
import type { Statement } from "./statements.js";
import { virtualAddress } from "./virtual-addresses.js";

export interface Sink {
  readonly draft: Draft;
  readonly report: Report;
  readonly say: Say;
  readonly wanted: WantedHa[];
  /** Addresses that this machine and the other one use for VRRP, with the statements that name them. */
  readonly own: { readonly address: string; readonly statement: Statement }[];
  readonly peers: { readonly address: string; readonly statement: Statement }[];
  readonly keepTimes: boolean;
  /** Runs when all HA addresses are known. */
  readonly later: (() => void)[];
  /** The first instance's. */
  failback: { readonly nopreempt: boolean; readonly delaySeconds: number | undefined };
}

const mac =
  "Understudy tells everybody where the address is with gratuitous ARP; the address has the node's own MAC";
const garp = "the address backend garp announces until the segment agrees, then at an interval";
const vrrp = "it is about VRRP's packets; Understudy has its own, authenticated";
const unheld = "Understudy has no such check; a service of the plugin exec can do it as its health";

/** Words without a counterpart that has to be written, with what is said of them. */
const fixed: ReadonlyMap<string, readonly ["taken" | "changed" | "dropped", string]> = new Map([
  ["virtual_router_id", ["changed", "the pair is known by its cluster name and its key instead"]],
  [
    "priority",
    [
      "changed",
      "there are no priorities: the first node is the primary, and the healthier one serves (rule R27)",
    ],
  ],
  ["state", ["changed", "the first node given with --address is the primary, on both machines"]],
  ["mcast_dst_ip", ["dropped", "beats go to the other node alone, not to a group"]],
  ["unicast_ttl", ["dropped", vrrp]],
  ["unicast_fault_no_peer", ["dropped", "a pair without a peer is refused by the check"]],
  ["old_unicast_checksum", ["dropped", vrrp]],
  ["check_unicast_src", ["taken", "beats count by their key and their sender"]],
  ["version", ["dropped", vrrp]],
  ["down_timer_adverts", ["changed", "the dead time is found out (rule R11)"]],
  ["skip_check_adv_addr", ["dropped", vrrp]],
  ["strict_mode", ["dropped", vrrp]],
  ["native_ipv6", ["dropped", "the family follows from the addresses"]],
  ["accept", ["taken", "services at the HA address are reached"]],
  ["no_accept", ["changed", "the HA address answers wherever it is: there is no router that only forwards"]],
  ["lower_prio_no_advert", ["dropped", vrrp]],
  ["higher_prio_send_advert", ["changed", "whoever has the highest epoch announces (rule R7)"]],
  [
    "dont_track_primary",
    ["changed", "a node that has lost the clients' network hands over if the other has it"],
  ],
  ["track_src_ip", ["changed", "a path without its address is down, and status says so"]],
  [
    "promote_secondaries",
    [
      "dropped",
      "set net.ipv4.conf.all.promote_secondaries yourself if other addresses hang on the HA address",
    ],
  ],
  ["smtp_alert", ["dropped", "a hook of the observer exec can write a mail"]],
  ["debug", ["dropped", "see log.level"]],
  ["kernel_rx_buf_size", ["dropped", vrrp]],
  ["linkbeat_use_polling", ["dropped", "the kernel tells of lost carriers"]],
  ["lvs_sync_daemon_interface", ["dropped", "it is about load balancing, which stays with keepalived"]],
  ["global_tracking", ["changed", "there are no priorities that could differ"]],
  ["sync_group_tracking_weight", ["changed", "there are no priorities that could differ"]],
  ["thread_timer_expired", ["dropped", vrrp]],
]);

export function translateInstance(sink: Sink, block: Statement): void {
  const device = block.children?.find(({ words }) => words[0] === "interface")?.words[1];
  for (const statement of block.children ?? []) {
    const [word = ""] = statement.words;
    if (word === "virtual_ipaddress" || word === "virtual_ipaddress_excluded")
      addresses(sink, statement, device);
    else if (word === "unicast_src_ip" || word === "mcast_src_ip") sourceAddress(sink, statement);
    else if (word === "unicast_peer") peers(sink, statement);
    else translateShared(sink, statement, "INSTANCE", block.words[1] ?? "");
  }
}

export function translateGroup(sink: Sink, block: Statement): void {
  for (const statement of block.children ?? []) {
    if (statement.words[0] === "group")
      sayWhole(sink.report, statement, "taken", "all HA addresses are on one node, and move as one");
    else translateShared(sink, statement, "GROUP", block.words[1] ?? "");
  }
}

function addresses({ say, wanted }: Sink, block: Statement, device: string | undefined): void {
  say(block, "taken", "HA addresses");
  for (const statement of block.children ?? []) {
    const address = virtualAddress(say, statement, device);
    if (address !== undefined) wanted.push(address);
  }
}

function sourceAddress({ say, own }: Sink, statement: Statement): void {
  const [, address = ""] = statement.words;
  if (isIP(address) === 0) say(statement, "dropped", "it is no IP address");
  else own.push({ address, statement });
}

function peers({ say, peers: found }: Sink, block: Statement): void {
  say(block, "taken", "beats go from node to node");
  for (const statement of block.children ?? []) {
    const [address = ""] = statement.words;
    if (isIP(address) === 0) say(statement, "dropped", "it is no IP address");
    else found.push({ address, statement });
  }
}

function translateShared(sink: Sink, statement: Statement, of: "INSTANCE" | "GROUP", name: string): void {
  const { say, report } = sink;
  const [word = "", value = ""] = statement.words;
  const known = fixed.get(word);
  if (known !== undefined) sayWhole(report, statement, known[0], known[1]);
  else if (word.startsWith("notify")) translateNotify(sink.draft, say, statement, of, name);
  else if (word === "interface") say(statement, "taken", "the interface of its HA addresses");
  else if (word === "advert_int") advertInterval(sink, statement, Number(value));
  else if (word === "nopreempt" || word === "preempt" || word === "preempt_delay")
    preemption(sink, statement);
  else if (word === "authentication") authentication(sink, statement);
  else if (word === "track_interface")
    sayWhole(
      report,
      statement,
      "changed",
      "the carrier and the own link of the HA addresses' interfaces are watched always",
    );
  else if (word === "track_script") trackScript(sink, statement);
  else if (/^track_(file|process|bfd|group)$/.test(word)) sayWhole(report, statement, "dropped", unheld);
  else if (word === "virtual_routes" || word === "virtual_rules")
    sink.later.push(() => translateRouting(sink.draft, say, statement));
  else if (word.startsWith("garp_")) say(statement, "changed", garp);
  else if (/^(use_vmac|vmac_|use_ipvlan|ipvlan)/.test(word)) say(statement, "dropped", mac);
  else
    sayWhole(
      report,
      statement,
      "dropped",
      word === "" ? "a block without a name" : "no such word of keepalived is known here",
    );
}

function trackScript({ say }: Sink, block: Statement): void {
  say(block, "taken", "its scripts are the health of services");
  for (const statement of block.children ?? []) {
    const weighted = statement.words.length > 1;
    say(
      statement,
      weighted ? "changed" : "taken",
      weighted ? "without its weight: a script that fails makes the node unhealthy" : "see the script itself",
    );
  }
}

function advertInterval({ say, draft, keepTimes }: Sink, statement: Statement, seconds: number): void {
  if (!(seconds > 0 && seconds <= 1000)) {
    say(statement, "dropped", "it is no interval");
    return;
  }
  // RFC 3768 section 6.1: three intervals, and up to one more by priority.
  const deadMs = Math.round(seconds * 3000);
  if (keepTimes && (draft.deadMs ?? 0) < deadMs) draft.deadMs = deadMs;
  const note = keepTimes
    ? `heartbeat.deadFloor and deadCeiling are three intervals, as in VRRP (${deadMs} ms), from 100 ms to a minute`
    : `Understudy beats every 20 ms and finds out the dead time by itself (100 to 400 ms); to keep ${deadMs} ms, import with --keep-times`;
  say(statement, keepTimes ? "taken" : "changed", note);
}

function preemption(sink: Sink, statement: Statement): void {
  const [word, value = ""] = statement.words;
  const seconds = Number(value);
  if (word === "nopreempt") {
    sink.failback = { ...sink.failback, nopreempt: true };
    sink.say(statement, "taken", "failback: manual; an operator moves the service back");
  } else if (word === "preempt") {
    sink.failback = { ...sink.failback, nopreempt: false };
    sink.say(statement, "changed", "failback: auto; the primary takes back once it is in sync and well");
  } else if (value !== "" && seconds >= 0 && seconds <= 1000) {
    sink.failback = { ...sink.failback, delaySeconds: seconds };
    sink.say(
      statement,
      "changed",
      "failback.hold: how long everything must be well before the primary takes back",
    );
  } else sink.say(statement, "dropped", "it is no number of seconds from 0 to 1000");
}

function authentication({ say, report }: Sink, block: Statement): void {
  const note =
    "VRRP's password is sent in clear; every beat of Understudy is authenticated with a key: make one with --key FILE";
  const { file, line } = block;
  report.add(
    { file, line, lastLine: Math.max(line, block.lastLine) },
    "authentication { … }",
    "dropped",
    note,
  );
  for (const statement of block.children ?? []) {
    if (statement.file !== file || statement.line < line || statement.line > block.lastLine)
      say(statement, "dropped", note, statement.words[0] ?? "");
  }
}
