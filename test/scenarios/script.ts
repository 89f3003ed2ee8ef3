/**
 * Scenario files: plain text in blocks, each some commands, a line of dashes and what they bring about. The output is
 * made anew by `--rewrite` and read as a diff (as in etcd's raft).
 */

import { describe } from "@understudy/core/internal/failover/status";
import type { Side } from "@understudy/core/public";
import type { SimulatedPath } from "../simulation/network.js";
import { mqtt, serial9600 } from "../simulation/plan.js";
import { defaultSettings, makeWorld, type World } from "../simulation/world.js";

export interface Block {
  /** Lines before the dashes: comments, commands and blank ones. */
  readonly input: readonly string[];
  readonly expected: readonly string[];
}

export function parseScenario(text: string): readonly Block[] {
  const blocks: Block[] = [];
  let input: string[] = [];
  let expected: string[] | undefined;
  for (const line of text.split("\n")) {
    if (expected === undefined) {
      if (line === "----") expected = [];
      else input.push(line);
    } else if (line === "") {
      blocks.push({ input, expected });
      input = [];
      expected = undefined;
    } else {
      expected.push(line);
    }
  }
  if (expected !== undefined) blocks.push({ input, expected });
  else if (input.some((line) => line !== ""))
    throw new Error(`the last block has no output: ${input.join(" / ")}`);
  return blocks;
}

export function printScenario(blocks: readonly Block[]): string {
  return `${blocks.map(({ input, expected }) => [...input, "----", ...expected].join("\n")).join("\n\n")}\n`;
}

/** The rules a scenario says it shows: "# Rules: R9 R13". */
export function rulesOf(text: string): readonly string[] {
  return /^# Rules: (.+)$/m.exec(text)?.[1]?.split(/[ ,]+/) ?? [];
}

const clientPath: SimulatedPath = { name: "udp", class: "client", ip: true };
const knownPaths: Readonly<Record<string, SimulatedPath>> = {
  udp: clientPath,
  udp2: { name: "udp2", class: "client", ip: true },
  private: { name: "private", class: "private", ip: true },
  serial: { name: "serial", class: "private", ip: false },
  /** 9600 baud: a frame of 96 bytes and its framing takes 115 ms. */
  serial9600,
  /** A broker some milliseconds away. */
  mqtt,
};

/** Runs every block in one world and returns what each brought about. */
export function playScenario(blocks: readonly Block[]): readonly Block[] {
  let world: World | undefined;
  return blocks.map(({ input }) => {
    const expected: string[] = [];
    const sinceMs = world?.schedule.nowMs ?? 0;
    for (const line of input) {
      const [command = "", ...words] = line.split(" ").filter((word) => word !== "");
      if (command === "" || command.startsWith("#")) continue;
      if (command === "pair") {
        world = makePair(words);
        continue;
      }
      if (world === undefined) throw new Error(`before "${line}" a pair is needed`);
      const from = world.trace.length;
      expected.push(...(perform(world, command, words) ?? []));
      for (const { atMs, who, what } of world.trace.slice(from)) {
        expected.push(`+${(atMs - sinceMs).toFixed(1)} ${who} ${what}`);
      }
    }
    return { input, expected };
  });
}

/** `pair udp serial fences=exec`: the paths, then settings, each at the top level of `Settings`. */
function makePair(words: readonly string[]): World {
  const names = words.filter((word) => !word.includes("="));
  const paths = (names.length === 0 ? ["udp"] : names).map((name) => {
    const path = knownPaths[name];
    if (path === undefined) throw new Error(`no such path: ${name}`);
    return path;
  });
  const known = defaultSettings("primary", paths, {});
  const settings: Record<string, unknown> = {};
  for (const word of words.filter((each) => each.includes("="))) {
    const [key = "", value = ""] = word.split("=");
    if (!(key in known)) throw new Error(`no such setting: ${key}`);
    settings[key] = settingOf(key, value);
  }
  const world = makeWorld({ seed: 1, paths, settings });
  const counts = { primary: 0, secondary: 0 };
  announced.set(world, counts);
  world.actionObservers.push((side, { type }) => {
    if (type === "announce") counts[side] += 1;
  });
  return world;
}

/** Rounds of announcements since `announcements` was last asked. */
const announced = new WeakMap<World, Record<Side, number>>();

function announcementsSince(world: World, side: Side): number {
  const counts = announced.get(world) ?? { primary: 0, secondary: 0 };
  const since = counts[side];
  counts[side] = 0;
  return since;
}

function settingOf(key: string, value: string): unknown {
  if (key === "arbiters") return value.split(",").map((name) => ({ name, exclusive: name === "granter" }));
  if (key === "fences") return value.split(",");
  if (key === "onArbiterLost") return value;
  return value === "never" ? null : Number(value);
}

function sideOf(word: string | undefined): Side {
  if (word === "primary" || word === "secondary") return word;
  throw new Error(`a side is needed, not ${word ?? "nothing"}`);
}

function durationMs(word: string | undefined): number {
  const match = /^(\d+(?:\.\d+)?)(ms|s|min)$/.exec(word ?? "");
  if (match === null) throw new Error(`a time such as 250ms is needed, not ${word ?? "nothing"}`);
  return Number(match[1]) * { ms: 1, s: 1000, min: 60_000 }[match[2] as "ms" | "s" | "min"];
}

type Command = (world: World, words: readonly string[]) => readonly string[] | undefined;

const commands: Readonly<Record<string, Command>> = {
  run: (world, [time]) => void world.run(durationMs(time)),
  boot: (world, words) => {
    for (const word of words) world.machines[sideOf(word)].boot();
    return undefined;
  },
  "lose-power": (world, [side]) => void world.machines[sideOf(side)].losePower(),
  "kill-pulse": (world, [side, keep]) => void world.machines[sideOf(side)].killPulse(keep !== "for-good"),
  "kill-node": (world, [side, keep]) => void world.machines[sideOf(side)].killNode(keep !== "for-good"),
  "stop-pulse": (world, [side]) => void world.machines[sideOf(side)].stall(),
  "continue-pulse": (world, [side]) => void world.machines[sideOf(side)].unstall(),
  "start-node": (world, [side]) => void world.machines[sideOf(side)].startNode(),
  "hang-node": (world, [side]) => void world.machines[sideOf(side)].node.hang(),
  "continue-node": (world, [side]) => void world.machines[sideOf(side)].node.resume(),
  cut: (world, [from, path]) => void world.network.cut(sideOf(from), path ?? "all"),
  mend: (world, [from, path]) => void world.network.mend(sideOf(from), path ?? "all"),
  unplug: (world, [side]) => void world.network.unplug(sideOf(side)),
  plug: (world, [side]) => void world.network.plug(sideOf(side)),
  carrier: (world, [side, state]) => void world.machines[sideOf(side)].setCarrier(state === "up"),
  "fill-disk": (world, [side]) => {
    world.machines[sideOf(side)].disk.failing = true;
    world.machines[sideOf(side)].node.store = false;
    return undefined;
  },
  "empty-disk": (world, [side]) => {
    world.machines[sideOf(side)].disk.failing = false;
    world.machines[sideOf(side)].node.store = true;
    return undefined;
  },
  "end-lease": (world, [side]) => {
    const { kernel, tell } = world.machines[sideOf(side)];
    kernel.drop();
    tell({ type: "leaseEnded", detail: "somebody flushed the table" });
    return undefined;
  },
  services: (world, [side, state]) => {
    world.machines[sideOf(side)].node.services = state !== "fail";
    return undefined;
  },
  database: (world, [side, state]) => {
    world.machines[sideOf(side)].node.database = state === "opening" || state === "lost" ? state : "open";
    return undefined;
  },
  "cut-granter": (world, [side]) => void world.protectors.cutOff.add(sideOf(side)),
  "mend-granter": (world, [side]) => void world.protectors.cutOff.delete(sideOf(side)),
  neighbours: (world, [state]) => {
    world.neighboursSilent = state === "silent";
    return undefined;
  },
  "break-fence": (world, [name = ""]) => void world.protectors.fenceTrouble.set(name, "refuses"),
  "mend-fence": (world, [name = ""]) => void world.protectors.fenceTrouble.delete(name),
  "confirm-dead": (world, [at]) =>
    void world.machines[sideOf(at)].tell({
      type: "operatorAsked",
      requestId: "confirm-dead",
      request: { kind: "confirmDead" },
    }),
  pause: (world, [side]) => void world.machines[sideOf(side)].pause(),
  resume: (world, [side]) => void world.machines[sideOf(side)].resume(false),
  "epoch-file": (world, [side, state]) => {
    world.machines[sideOf(side)].disk.failing = state === "fails";
    return undefined;
  },
  kernel: (world, [side, trouble]) => {
    if (trouble !== "none" && trouble !== "refuses" && trouble !== "timesOut" && trouble !== "slow")
      throw new Error(`no such trouble of a kernel: ${trouble}`);
    world.machines[sideOf(side)].kernelTrouble = trouble;
    return undefined;
  },
  "eat-beats": (world, [side]) => void world.network.eaten.add(sideOf(side)),
  tcp: (world, [state]) => {
    world.network.tcpCut = state === "cut";
    return undefined;
  },
  stranger: (world, [state]) => {
    world.stranger = state === "on";
    return undefined;
  },
  segment: (world, [side, agreement]) => {
    if (agreement !== "agreed" && agreement !== "disagreed" && agreement !== "unknown")
      throw new Error(`no such agreement of a segment: ${agreement}`);
    const detail = agreement === "agreed" ? "3 of 3 neighbours" : "2 of 3 neighbours";
    world.machines[sideOf(side)].tell({ type: "segmentAgreed", agreement, refreshMs: 60_000, detail });
    return undefined;
  },
  announcements: (world, [side]) => [`${side}: ${announcementsSince(world, sideOf(side))} rounds`],
  foreign: (world, [side]) =>
    void world.machines[sideOf(side)].tell({ type: "foreignBeatReceived", path: "udp" }),
  "plugin-blocks": (world, [side, quiet, ...plugin]) =>
    void world.machines[sideOf(side)].tell({
      type: "pluginBlocked",
      plugin: plugin.join(" "),
      what: "holds its process up: its send blocked for 40 ms",
      forMs: durationMs(quiet),
    }),
  stop: (world, [side]) => void world.machines[sideOf(side)].tell({ type: "stopAsked" }),
  switchover: (world, [at, to]) =>
    void world.machines[sideOf(at)].tell({
      type: "operatorAsked",
      requestId: "switchover",
      request: { kind: "switchover", to: to === undefined ? undefined : sideOf(to), force: false },
    }),
  "clear-preference": (world, [at]) =>
    void world.machines[sideOf(at)].tell({
      type: "operatorAsked",
      requestId: "clear",
      request: { kind: "clearPreference" },
    }),
  maintenance: (world, [at, on]) =>
    void world.machines[sideOf(at)].tell({
      type: "operatorAsked",
      requestId: "maintenance",
      request: { kind: "maintenance", on: on === "on", force: false },
    }),
  status: (world, [side]) => statusLines(world, sideOf(side)),
};

function statusLines(world: World, side: Side): readonly string[] {
  const { state, disk } = world.machines[side];
  if (state === undefined) return [`${side}: pulse does not run`];
  const text = describe(state, world.schedule.nowMs);
  return [
    `${side}: ${text.role}, epoch ${text.epoch || text.highestEpoch}, ${disk.epoch} on disk; health ${text.healthScore}`,
    `  why: ${text.reason}`,
    `  if the other died: ${text.ifPeerDied}`,
    ...(text.failback === undefined ? [] : [`  failback: ${text.failback}`]),
    ...text.alarms.map((alarm) => `  alarm ${alarm.code}: ${alarm.detail}`),
  ];
}

function perform(world: World, command: string, words: readonly string[]): readonly string[] | undefined {
  const found = commands[command];
  if (found === undefined)
    throw new Error(`no such command: ${command}; there are ${Object.keys(commands).join(", ")}`);
  return found(world, words);
}
