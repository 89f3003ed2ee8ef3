/**
 * What lies between the two machines and their clients: paths that lose, delay, double, reorder and are cut, in one
 * direction or both, and the client segment with a third machine on it.
 */

import type { PathClass, Side } from "@understudy/core/public";
import type { Random } from "./random.js";
import type { Schedule } from "./schedule.js";

export interface SimulatedPath {
  readonly name: string;
  readonly class: PathClass;
  /** Whether the peer's kernel can be probed along it and TCP goes over it. */
  readonly ip: boolean;
  /** What its plugin says of the medium; absent: it carries any interval. */
  readonly beatIntervalMs?: number;
  /** How long the medium is busy with one frame. A frame that waits for it is replaced by a later one. */
  readonly frameMs?: number;
  /** How long a frame is under way when the weather is fair; absent: as on a wire. */
  readonly delayMs?: readonly [least: number, most: number];
}

export interface Weather {
  readonly lossRate: number;
  readonly doubleRate: number;
  readonly minDelayMs: number;
  readonly maxDelayMs: number;
}

export const fairWeather: Weather = { lossRate: 0, doubleRate: 0, minDelayMs: 0.1, maxDelayMs: 0.1 };

const roundTripMs = 0.2;

export function otherSide(side: Side): Side {
  return side === "primary" ? "secondary" : "primary";
}

export interface Network {
  readonly paths: readonly SimulatedPath[];
  weatherOn(path: SimulatedPath): Weather;
  /** On one path, or on "all". */
  setWeather(path: string, weather: Weather): void;
  /** Cuts one direction of a path, or of all paths. */
  cut(from: Side, path: string): void;
  mend(from: Side, path: string): void;
  /** The machine's plug on the client segment: nothing goes in or out of it, the carrier stays. */
  unplug(side: Side): void;
  plug(side: Side): void;
  /** One half of a machine's plug: what it sends is lost, or what is sent to it. */
  readonly mute: Set<Side>;
  readonly deaf: Set<Side>;
  /** Something of the client segment gets to this machine. */
  hears(side: Side): boolean;
  healAll(): void;
  /** Whether frames of a path pass from this side to the other. */
  passes(from: Side, path: SimulatedPath): boolean;
  plugged(side: Side): boolean;
  /** Sides whose beats a filter eats, on every path. */
  readonly eaten: Set<Side>;
  /** A filter eats every TCP connection. */
  tcpCut: boolean;
  /** Both directions of some IP path pass; where beats travel on none, the clients' segment carries TCP all the same. */
  talk(): boolean;
  /** No beat of this side gets to the other on any path. */
  severed(from: Side): boolean;
  /** Every path carries everything at once. */
  fair(): boolean;
  /** Carries something to the other side after a delay, or loses it. */
  carry(from: Side, path: SimulatedPath, arrive: () => void): void;
  /** There and back. */
  ask(from: Side, path: SimulatedPath, answer: () => void): void;
}

export function makeNetwork(paths: readonly SimulatedPath[], schedule: Schedule, random: Random): Network {
  const cuts = new Set<string>();
  const lines = new Map<string, { busyUntilMs: number; waiting: (() => void) | undefined }>();
  /** One frame after the other, and of those that wait only the latest, as a paced line has it. */
  const inLine = (from: Side, path: SimulatedPath, go: () => void): void => {
    const { frameMs } = path;
    if (frameMs === undefined) {
      go();
      return;
    }
    const key = `${from} ${path.name}`;
    const line = lines.get(key) ?? { busyUntilMs: 0, waiting: undefined };
    lines.set(key, line);
    if (line.busyUntilMs > schedule.nowMs) {
      const idle = line.waiting === undefined;
      line.waiting = go;
      if (!idle) return;
      schedule.after(line.busyUntilMs - schedule.nowMs, () => {
        const { waiting } = line;
        line.waiting = undefined;
        if (waiting !== undefined) inLine(from, path, waiting);
      });
      return;
    }
    line.busyUntilMs = schedule.nowMs + frameMs;
    schedule.after(frameMs, go);
  };
  const unplugged = new Set<Side>();
  const weathers = new Map<string, Weather>();
  const network: Network = {
    paths,
    weatherOn: (path) => weathers.get(path.name) ?? fairWeather,
    setWeather: (path, weather) => {
      for (const each of paths) if (path === "all" || each.name === path) weathers.set(each.name, weather);
    },
    cut: (from, path) => {
      for (const each of paths) if (path === "all" || each.name === path) cuts.add(`${from} ${each.name}`);
    },
    mend: (from, path) => {
      for (const each of paths) if (path === "all" || each.name === path) cuts.delete(`${from} ${each.name}`);
    },
    unplug: (side) => unplugged.add(side),
    plug: (side) => unplugged.delete(side),
    eaten: new Set(),
    mute: new Set(),
    deaf: new Set(),
    tcpCut: false,
    healAll: () => {
      network.eaten.clear();
      network.mute.clear();
      network.deaf.clear();
      network.tcpCut = false;
      cuts.clear();
      unplugged.clear();
      weathers.clear();
    },
    passes: (from, path) => {
      if (cuts.has(`${from} ${path.name}`)) return false;
      if (path.class !== "client") return true;
      return unplugged.size === 0 && !network.mute.has(from) && !network.deaf.has(otherSide(from));
    },
    plugged: (side) => network.hears(side) && !network.mute.has(side),
    hears: (side) => !unplugged.has(side) && !network.deaf.has(side),
    talk: () => {
      if (network.tcpCut) return false;
      const ip = paths.filter((path) => path.ip);
      if (ip.length === 0) return network.plugged("primary") && network.plugged("secondary");
      return ip.some((path) => network.passes("primary", path) && network.passes("secondary", path));
    },
    severed: (from) => network.eaten.has(from) || paths.every((path) => !network.passes(from, path)),
    fair: () => paths.every((path) => network.weatherOn(path) === fairWeather),
    ask: (from, path, answer) => {
      const back = otherSide(from);
      if (!network.passes(from, path) || !network.passes(back, path)) return;
      if (network.weatherOn(path) === fairWeather) {
        schedule.after(roundTripMs, () => {
          if (network.passes(back, path)) answer();
        });
      } else {
        network.carry(from, path, () => network.carry(back, path, answer));
      }
    },
    carry: (from, path, arrive) =>
      inLine(from, path, () => {
        const weather = network.weatherOn(path);
        const copies = random.chance(weather.doubleRate) ? 2 : 1;
        for (let copy = 0; copy < copies; copy += 1) {
          if (random.chance(weather.lossRate)) continue;
          const onTheWayMs = path.delayMs === undefined ? 0 : random.between(...path.delayMs);
          const delayMs = random.between(weather.minDelayMs, weather.maxDelayMs) + onTheWayMs;
          schedule.after(delayMs, () => {
            // A frame in flight when the path is cut is lost with it.
            if (network.passes(from, path)) arrive();
          });
        }
      }),
  };
  return network;
}
