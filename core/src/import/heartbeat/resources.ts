/** What each resource of haresources becomes: an HA address, a service, a hook, or nothing, with the reason. */

import { isIP } from "node:net";
import { addHook, addService, type Draft } from "../draft.js";
import { canonical, type WantedHa } from "../ha-addresses.js";
import { commandLine } from "../shell.js";
import type { Decision } from "./ha-cf-state.js";
import type { Resource } from "./haresources.js";
import { ipResource } from "./ip-resource.js";

export interface ResourceSink {
  readonly draft: Draft;
  /** The decision comes when all addresses are known. */
  wantAddress(wanted: Omit<WantedHa, "settled">, right: Decision): void;
  decide(decision: Decision): void;
  /** Runs when all HA addresses are known. */
  later(work: () => void): void;
}

type Translation = (sink: ResourceSink, args: readonly string[]) => void;

const dropped = (note: string): Decision => ({ fate: "dropped", note });

function address(family: 4 | 6): Translation {
  return (sink, args) => {
    // "::" parts arguments, so Heartbeat itself tears a shortened IPv6 address apart.
    const text = family === 6 ? args.join("::") : (args[0] ?? "");
    const parsed = ipResource(text, family);
    if (typeof parsed === "string") {
      sink.decide(dropped(`${parsed}, so it cannot be an HA address`));
      return;
    }
    const { lost, ...wanted } = parsed;
    const further =
      family === 4 && args.length > 1 ? [...lost, `what follows it (${args.slice(1).join(" ")})`] : lost;
    const right: Decision =
      further.length === 0
        ? { fate: "taken", note: "HA address" }
        : { fate: "changed", note: `HA address, without ${further.join(" and ")}` };
    sink.wantAddress(wanted, right);
  };
}

function service(sink: ResourceSink, options: Record<string, unknown>, note: string): void {
  const problem = addService(sink.draft, options);
  sink.decide(problem === undefined ? { fate: "changed", note } : dropped(problem));
}

const limits = { startTimeoutMs: 20_000, stopTimeoutMs: 1700 };

const sharedDisk =
  "a service of the plugin exec; on a disk that both nodes can reach, two that mount it at once destroy it: " +
  "use a fence or an exclusive arbiter, and mind that a stop has 1.7 s";

function filesystem(sink: ResourceSink, [device, directory, type, options]: readonly string[]): void {
  if (!device || !directory) {
    sink.decide(dropped("a file system needs its device and its directory"));
    return;
  }
  const mount = [
    "mount",
    ...(type ? ["-t", type] : []),
    ...(options ? ["-o", options] : []),
    device,
    directory,
  ];
  const mounted = commandLine(["mountpoint", "-q", directory]);
  const run = {
    plugin: "exec",
    start: { shell: `${mounted} || ${commandLine(mount)}` },
    stop: { shell: `! ${mounted} || ${commandLine(["umount", directory])}` },
    health: ["mountpoint", "-q", directory],
    ...limits,
  };
  service(sink, run, sharedDisk);
}

function volumeGroup(sink: ResourceSink, [group]: readonly string[]): void {
  if (!group) {
    sink.decide(dropped("it names no volume group"));
    return;
  }
  const change = (active: string) => ["vgchange", "-a", active, group];
  service(sink, { plugin: "exec", start: change("y"), stop: change("n"), ...limits }, sharedDisk);
}

function drbd(sink: ResourceSink, [resource = "all"]: readonly string[]): void {
  const role = (name: string) => ["drbdadm", name, resource];
  const health = { shell: `drbdadm role ${commandLine([resource])} | grep -q '^Primary'` };
  service(
    sink,
    { plugin: "exec", start: role("primary"), stop: role("secondary"), health, ...limits },
    sharedDisk,
  );
}

function mail(sink: ResourceSink, [to, subject]: readonly string[]): void {
  if (!to) {
    sink.decide(dropped("it names nobody to write to"));
    return;
  }
  const command = commandLine(["mail", "-s", subject || "Understudy", to]);
  const shell = `printf '%s\\n' "$UNDERSTUDY_WHAT" | ${command}`;
  const problem = addHook(sink.draft, { shell }, ["role", "alarm"]);
  const note = "a hook that writes at every change of role and every alarm; needs the command mail";
  sink.decide(problem === undefined ? { fate: "changed", note } : dropped(problem));
}

function init(sink: ResourceSink, script: string, args: readonly string[]): void {
  if (args.length === 0 && /^[A-Za-z0-9:_.@][A-Za-z0-9:_.@-]{0,200}$/.test(script)) {
    const note = `service ${script}.service of systemd, whose health is watched; it must be on both nodes and not be enabled by itself`;
    service(sink, { plugin: "systemd", unit: `${script}.service` }, note);
    return;
  }
  if (!/^[^/\s\p{Cc}]{1,200}$/u.test(script)) {
    sink.decide(dropped("it is the name of no script"));
    return;
  }
  const path = `/etc/ha.d/resource.d/${script}`;
  const run = (word: string) => [path, ...args, word];
  const note =
    `a service of the plugin exec that runs ${path}: keep the script (or name it in /etc/init.d); it must succeed when ` +
    "started or stopped twice, a stop has 1.7 s, and its status must exit with 0 only while it runs";
  const options = {
    plugin: "exec",
    start: run("start"),
    stop: run("stop"),
    health: run("status"),
    ...limits,
  };
  service(sink, options, note);
}

function announce(sink: ResourceSink): void {
  sink.decide({
    fate: "taken",
    note: "the address backend garp announces the HA address, until the segment agrees",
  });
}

function sourceAddress(sink: ResourceSink, [source = ""]: readonly string[]): void {
  if (isIP(source.split("/")[0] ?? "") === 0) {
    sink.decide(dropped("it is no address"));
    return;
  }
  sink.later(() => {
    const address = canonical(source.split("/")[0] ?? "");
    if (!sink.draft.haAddresses.some((one) => one.address === address)) {
      sink.decide(dropped("it is none of the HA addresses"));
      return;
    }
    sink.draft.preferredSource = address;
    sink.decide({ fate: "taken", note: "preferredSource of the address backend iproute2" });
  });
}

const notSupported =
  (what: string): Translation =>
  (sink) =>
    sink.decide(dropped(what));

const translations: ReadonlyMap<string, Translation> = new Map<string, Translation>([
  ["IPaddr", address(4)],
  ["IPaddr2", address(4)],
  ["IPv6addr", address(6)],
  ["IPsrcaddr", sourceAddress],
  ["SendArp", announce],
  ["Filesystem", filesystem],
  ["LVM", volumeGroup],
  ["drbddisk", drbd],
  ["MailTo", mail],
  ["AudibleAlarm", notSupported("a hook of the observer exec can make a noise")],
  ["WinPopup", notSupported("a hook of the observer exec can tell somebody")],
  ["Delay", notSupported("Understudy takes over when it may, and no later")],
  [
    "portblock",
    notSupported("the kernel drops everything for the HA address on a node that may not serve (rule R1)"),
  ],
  ["ICP", notSupported("this controller is long gone; a service of the plugin exec could drive it")],
  ["ServeRAID", notSupported("this controller is long gone; a service of the plugin exec could drive it")],
]);

export function translateResource(sink: ResourceSink, { script, args }: Resource): void {
  const translation = translations.get(script);
  if (script === "" || script.startsWith("#"))
    sink.decide(dropped("Heartbeat finds no such script; comments end at the first line of a group"));
  else if (translation === undefined) init(sink, script, args);
  else translation(sink, args);
}
