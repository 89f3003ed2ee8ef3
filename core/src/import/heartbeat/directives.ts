/** What each directive of ha.cf becomes with us, by name: the table that the reading of the file goes through. */

import { type ConfLine, heartbeatBoolean, heartbeatMs } from "./ha-cf-lines.js";
import { type Decision, type HaCfState, say, setLast } from "./ha-cf-state.js";
import { ignoredDirectives } from "./ignored-directives.js";
import { readMedium } from "./media.js";

type Reading = (state: HaCfState, line: ConfLine) => void;

const refused = (why: string) => `${why}: Heartbeat refuses to start with it`;

/** One time: the option that counts is the last, as each calls the same setter. */
function time(
  /** May say something else of the line than `note`. */
  take: (state: HaCfState, ms: number) => Decision | undefined,
  fate: "taken" | "changed" | "dropped",
  note: string,
): Reading {
  return (state, line) => {
    const ms = heartbeatMs(line.options.at(-1) ?? "");
    if (ms === undefined || line.options.some((option) => heartbeatMs(option) === undefined)) {
      say(state, line, "dropped", refused("it is no time (seconds, or with ms or us)"));
      return;
    }
    setLast(state, line, () => {
      return take(state, ms) ?? { fate, note: note.replaceAll("TIME", `${ms} ms`) };
    });
  };
}

const failbackModes = { on: true, off: true, legacy: true } as const;

function failback(state: HaCfState, line: ConfLine): void {
  const word = line.options.at(-1)?.toLowerCase() ?? "";
  const truth = heartbeatBoolean(word);
  const mode = truth === undefined ? word : truth ? "on" : "off";
  if (!Object.hasOwn(failbackModes, mode)) {
    say(state, line, "dropped", refused("it must be on, off or legacy"));
    return;
  }
  setFailback(state, line, mode as keyof typeof failbackModes);
}

function setFailback(state: HaCfState, line: ConfLine, mode: "on" | "off" | "legacy"): void {
  // auto_failback and nice_failback set the same thing.
  setLast(state, { ...line, directive: "auto_failback" }, () => {
    state.autoFailback = mode;
    if (mode === "off")
      return { fate: "taken", note: "failback: manual; an operator moves the service back" };
    const note = "failback: auto; the primary takes back once it is in sync and well for 10 s, not at once";
    return { fate: "changed", note };
  });
}

function niceFailback(state: HaCfState, line: ConfLine): void {
  const truth = heartbeatBoolean(line.options.at(-1) ?? "");
  if (truth === undefined) say(state, line, "dropped", refused("it must be on or off"));
  else setFailback(state, line, truth ? "off" : "legacy");
}

function pacemaker(state: HaCfState, line: ConfLine): void {
  const word = line.options.at(-1)?.toLowerCase() ?? "";
  if (heartbeatBoolean(word) === false) {
    setLast(state, { ...line, directive: "crm" }, () => {
      state.pacemaker = undefined;
      return { fate: "taken", note: "haresources decides what runs, and it is imported" };
    });
    return;
  }
  setLast(state, { ...line, directive: "crm" }, () => {
    state.pacemaker = line;
    return { fate: "dropped", note: "Pacemaker decides what runs here, and haresources is not used" };
  });
}

function node(state: HaCfState, line: ConfLine): void {
  if (line.options.length === 0) {
    say(state, line, "dropped", "it names no node");
    return;
  }
  for (const option of line.options) {
    const name = option.toLowerCase();
    if (!state.nodes.includes(name)) state.nodes.push(name);
  }
  state.nodeLines.push(line);
}

function respawn(state: HaCfState, line: ConfLine): void {
  const command = line.rest
    .split(/[ \t]+/)
    .slice(1)
    .join(" ");
  if (/(^|\/)ipfail(\s|$)/.test(command)) {
    state.ipfail = true;
    say(
      state,
      line,
      "changed",
      "a node without the clients' network hands over by itself (path classes, rule R27); ping targets become an arbiter",
    );
    return;
  }
  const note = "Understudy starts no helpers of others: run it as a systemd unit on both nodes";
  const dopd = /(^|\/)dopd(\s|$)/.test(command) ? "; DRBD wants a fence-peer handler instead of dopd" : "";
  say(state, line, "dropped", `${note}${dopd}`);
}

/** Parameters of fence devices are secrets as often as not. */
function stonith(state: HaCfState, line: ConfLine): void {
  state.stonith = true;
  const words = line.rest.split(/[ \t]+/);
  const type = (line.directive === "stonith" ? words[0] : words[1]) ?? "";
  const text = `${line.directive} ${line.directive === "stonith" ? "" : `${words[0] ?? ""} `}${type} …`;
  say(
    state,
    line,
    "dropped",
    "fence devices are asked in another way here: add a fence of the plugin exec with the agent of your device (fence_ipmilan, fence_apc, …)",
    text,
  );
}

function baud(state: HaCfState, line: ConfLine): void {
  const rate = Number.parseInt(line.options[0] ?? "", 10);
  if (![9600, 19_200, 38_400, 57_600, 115_200, 230_400, 460_800].includes(rate)) {
    say(state, line, "dropped", refused("it is no baud rate"));
    return;
  }
  if (state.baud !== undefined) {
    say(state, line, "dropped", refused("the baud rate is given twice"));
    return;
  }
  state.baud = rate;
  const late = state.media.some(({ kind }) => kind === "serial");
  say(
    state,
    line,
    late ? "changed" : "taken",
    late
      ? "it counts for the serial lines below it alone, those above keep 19200"
      : "of the serial lines below it",
  );
}

function ping(any: boolean): Reading {
  return (state, line) => {
    const targets = any ? line.options.slice(1) : line.options;
    if (targets.length === 0) {
      say(state, line, "dropped", "it names no target");
      return;
    }
    state.pings.push({ line, targets, any });
  };
}

function debug(state: HaCfState, line: ConfLine): void {
  const level = Number.parseInt(line.options.at(-1) ?? "", 10);
  if (!(level >= 0 && level <= 255)) {
    say(state, line, "dropped", refused("it must be from 0 to 255"));
    return;
  }
  setLast(state, line, () => {
    state.debug = level > 0;
    return level > 0
      ? { fate: "changed", note: "log.level: debug" }
      : { fate: "taken", note: "nothing is to be debugged, and that is the default" };
  });
}

function autojoin(state: HaCfState, line: ConfLine): void {
  const none = (line.options.at(-1) ?? "").toLowerCase() === "none";
  if (none) say(state, line, "taken", "a pair has the two nodes that its config names");
  else say(state, line, "dropped", "a pair has the two nodes that its config names: nobody joins by himself");
}

function cluster(state: HaCfState, line: ConfLine): void {
  const name = line.options.at(-1) ?? "";
  setLast(state, line, () => {
    state.cluster = name;
    return { fate: "taken", note: "the pair's name" };
  });
}

function watchdog(state: HaCfState, line: ConfLine): void {
  const [device] = line.options;
  if (device === undefined) {
    say(state, line, "dropped", "it names no device");
    return;
  }
  if (state.watchdog !== undefined) {
    say(state, line, "dropped", refused("the watchdog is given twice"));
    return;
  }
  if (!/^\/\S{1,200}$/.test(device)) {
    say(state, line, "dropped", `${device} is no device`);
    return;
  }
  state.watchdog = device;
  say(
    state,
    line,
    "changed",
    "watchdog: fed by pulse while it is healthy, a reset after 10 s instead of about a minute",
  );
}

const ourPace = "Understudy beats every 20 ms and finds out the dead time by itself (100 to 400 ms)";

export const directives: ReadonlyMap<string, Reading> = new Map<string, Reading>([
  ["keepalive", time(() => undefined, "changed", `${ourPace}; TIME is not taken over`)],
  [
    "deadtime",
    time(
      (state, ms) => {
        state.deadtimeMs = ms;
        if (!state.keepTimes) return undefined;
        return {
          fate: "taken",
          note: `heartbeat.deadFloor and deadCeiling, from 100 ms to a minute (${ms} ms)`,
        };
      },
      "changed",
      `${ourPace}; to keep TIME, import with --keep-times`,
    ),
  ],
  [
    "warntime",
    time(() => undefined, "dropped", "a near miss raises the dead time, and status shows it (rule R11)"),
  ],
  [
    "initdead",
    time(
      (state, ms) => {
        state.initdeadMs = ms;
        return undefined;
      },
      "changed",
      "aloneAfter: TIME; a node that starts and hears nobody serves after this",
    ),
  ],
  ["deadping", time(() => undefined, "dropped", "the ping arbiter has time limits of its own")],
  ["auto_failback", failback],
  ["nice_failback", niceFailback],
  ["crm", pacemaker],
  ["pacemaker", pacemaker],
  ["node", node],
  ["respawn", respawn],
  ["stonith", stonith],
  ["stonith_host", stonith],
  ["baud", baud],
  ["ping", ping(false)],
  ["ping6", ping(false)],
  ["ping_group", ping(true)],
  ["debug", debug],
  ["autojoin", autojoin],
  ["cluster", cluster],
  ["watchdog", watchdog],
  ...["bcast", "mcast", "mcast6", "ucast", "ucast6", "serial"].map((name): [string, Reading] => [
    name,
    readMedium,
  ]),
]);

export function readDirective(state: HaCfState, line: ConfLine): void {
  const reading = directives.get(line.directive);
  if (reading !== undefined) {
    reading(state, line);
    return;
  }
  const ignored = ignoredDirectives.get(line.directive);
  say(state, line, "dropped", ignored ?? refused("Heartbeat knows no such directive"));
}
