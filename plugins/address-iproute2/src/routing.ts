/**
 * Keeps the routes and rules of the plan where the HA addresses are: there while they are held, gone otherwise. A route
 * that cannot be set is said and tried again; it never keeps a node from serving, for without the address nothing serves.
 */

import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import type { Log } from "@understudy/core/public";
import { type CoProcess, type Reply, startCoProcess } from "./co-process.js";
import {
  addRoute,
  addRule,
  deleteRoute,
  deleteRule,
  type FoundRoute,
  isSourceMissing,
  isThere,
  parseRouteLine,
  samePlace,
  sameRoute,
  showDefaults,
  showRoutes,
} from "./route-commands.js";
import { mainTable, type PreferredSource, type Route, type RoutePlan, sourceRoutes } from "./route-plan.js";

export interface Routing {
  /** Learns the default gateways. */
  start(): Promise<void>;
  /** Sends all additions at once, behind what was asked of the same `ip` before. Settles when they are answered. */
  take(): Promise<void>;
  giveUp(): Promise<unknown>;
  /** Compares with what the kernel says now, and mends. */
  check(): Promise<void>;
  /** Something may have changed: a check follows soon, however often this is called. */
  hint(): void;
  /** For status: "" when there is nothing to say. */
  describe(): string;
  stop(): void;
}

export interface RoutingNeeds {
  readonly plan: RoutePlan;
  /** The `ip` of the addresses: what it is told comes behind them. */
  readonly ask: (command: string) => Promise<Reply>;
  readonly log: Log;
  /** False while the right to answer has ended: then nothing is put back. */
  readonly mayRepair: () => boolean;
  readonly onDeath: (why: string) => void;
  /** Between tries; a test need not wait. */
  readonly pauseMs?: (ms: number) => Promise<unknown>;
}

const hintDelayMs = 10;
const hintEveryMs = 100;

/**
 * Between tries of a route whose source is not known yet. For an instant after an IPv6 address was added, Linux refuses
 * routes from it (6.18: in one of six first takeovers after a start, and all was well 2 ms later).
 */
const sourceRetriesMs = [2, 5, 10, 20, 40];

const unheldPause = (ms: number) => pause(ms, undefined, { ref: false });

export function startRouting(needs: RoutingNeeds): Routing {
  const { plan, ask, log, mayRepair, onDeath, pauseMs = unheldPause } = needs;
  const { rules, sources } = plan;
  const tables = tableNumbers();
  const ip6: CoProcess | undefined = rules.some(({ family }) => family === 6)
    ? startCoProcess({ command: "ip -6 -o -force -batch -", onDeath })
    : undefined;
  const askOf = (family: 4 | 6, command: string) => (family === 6 && ip6 ? ip6.run(command) : ask(command));
  /** The next hop of the default route of each preferred source; null where there is none. */
  const gateways = new Map<PreferredSource, string | undefined | null>();
  /** By addition: why it is not there. */
  const troubles = new Map<string, string>();
  /** Additions that were seen to be there since they were last given up. */
  const seen = new Set<string>();
  let held = false;
  let leftBehind = false;
  let generation = 0;
  let timer: NodeJS.Timeout | undefined;
  let checkedMs = Number.NEGATIVE_INFINITY;
  let current: Promise<void> = Promise.resolve();
  /** Asked for and not begun. */
  let next: Promise<void> | undefined;

  const wanted = (): readonly Route[] => [
    ...plan.routes,
    ...sources.flatMap((source) => {
      const via = gateways.get(source);
      return via === null || !gateways.has(source) ? [] : sourceRoutes(source, via);
    }),
  ];
  /** All that may be ours, whatever the gateway was. */
  const possible = [...plan.routes, ...sources.flatMap((source) => sourceRoutes(source, undefined))];

  function note(addition: string, complaint: string | undefined): void {
    if (complaint === undefined) {
      troubles.delete(addition);
      seen.add(addition);
      return;
    }
    if (troubles.get(addition) !== complaint)
      log.warn({ addition, complaint }, "a route or rule could not be set");
    troubles.set(addition, complaint);
  }

  async function complaintAbout(family: 4 | 6, addition: string): Promise<string | undefined> {
    const reply = await askOf(family, addition);
    return reply === undefined ? "ip did not answer" : reply.join("; ") || undefined;
  }

  async function add(family: 4 | 6, addition: string): Promise<"added" | "there" | "refused"> {
    const before = generation;
    let complaint = await complaintAbout(family, addition);
    for (const waitMs of sourceRetriesMs) {
      if (complaint === undefined || !isSourceMissing(complaint)) break;
      await pauseMs(waitMs);
      if (before !== generation) break;
      complaint = await complaintAbout(family, addition);
    }
    if (complaint !== undefined && isThere(complaint)) return "there";
    if (held) note(addition, complaint);
    return complaint === undefined ? "added" : "refused";
  }

  async function mendRoute(route: Route, found: readonly FoundRoute[]): Promise<void> {
    const addition = addRoute(route);
    if (found.some((one) => sameRoute(one, route))) return note(addition, undefined);
    // Ours of another gateway, or with its source taken out by the kernel. Nobody waits for the deletion, so that a
    // release meanwhile comes behind the addition too.
    if (found.some((one) => samePlace(one, route))) void ask(deleteRoute(route));
    else if (seen.has(addition)) log.warn({ addition }, "something else removed a route of ours");
    if ((await add(route.family, addition)) === "there" && held)
      note(addition, "another route has its place, and it is not ours");
  }

  async function mendRules(): Promise<void> {
    await Promise.all(
      rules.map(async (rule) => {
        const addition = addRule(rule);
        const known = seen.has(addition);
        const outcome = await add(rule.family, addition);
        if (outcome === "there" && held) note(addition, undefined);
        if (outcome === "added" && known) log.warn({ addition }, "something else removed a rule of ours");
      }),
    );
  }

  function learnGateways(lines: readonly string[]): void {
    const defaults = lines.flatMap((line) => parseRouteLine(line, tables) ?? []);
    for (const source of sources) {
      const best = defaults
        .filter((one) => one.family === source.family && one.table === mainTable)
        .filter(({ interfaceName }) => interfaceName === source.interfaceName)
        .toSorted((a, b) => (a.metric ?? 0) - (b.metric ?? 0))[0];
      gateways.set(source, best === undefined ? null : best.via);
    }
  }

  async function removeAll(): Promise<void> {
    const replies = await Promise.all([
      ...possible
        .toSorted((a, b) => (b.metric ?? 0) - (a.metric ?? 0))
        .map((route) => ask(deleteRoute(route))),
      ...rules.map((rule) => askOf(rule.family, deleteRule(rule))),
    ]);
    leftBehind = replies.includes(undefined);
  }

  /** One at a time: two that see the same gap would take each other's route for a stranger's. */
  function check(): Promise<void> {
    if (next !== undefined) return next;
    const begun = current.then(() => {
      next = undefined;
      return checkOnce();
    });
    current = begun.catch((error: unknown) => log.error({ error }, "routes could not be checked"));
    next = current;
    return current;
  }

  async function checkOnce(): Promise<void> {
    const before = generation;
    const [listed, defaults] = await Promise.all([
      ask(showRoutes),
      sources.length > 0 ? ask(showDefaults) : Promise.resolve([]),
    ]);
    if (before !== generation || listed === undefined || defaults === undefined) return;
    learnGateways(defaults);
    const found = listed.flatMap((line) => parseRouteLine(line, tables) ?? []);
    const mine = found.filter((one) => possible.some((route) => samePlace(one, route)));
    if (!held) {
      if (leftBehind || mine.length > 0) await removeAll();
      return;
    }
    if (!mayRepair()) return;
    const now = wanted();
    for (const one of mine) if (!now.some((route) => samePlace(one, route))) void ask(deleteRoute(one));
    await Promise.all([...now.map((route) => mendRoute(route, found)), mendRules()]);
  }

  const hint = () => {
    if (timer !== undefined) return;
    const delayMs = Math.max(hintDelayMs, checkedMs + hintEveryMs - performance.now());
    timer = setTimeout(() => {
      timer = undefined;
      checkedMs = performance.now();
      void check();
    }, delayMs);
    timer.unref();
  };

  return {
    start: check,
    async take() {
      held = true;
      generation += 1;
      const outcomes = await soon(
        Promise.all([
          ...wanted().map((route) => add(route.family, addRoute(route))),
          ...rules.map(async (rule) => {
            const outcome = await add(rule.family, addRule(rule));
            if (outcome === "there" && held) note(addRule(rule), undefined);
            return outcome === "there" ? "added" : outcome;
          }),
        ]),
      );
      // A route in its place may be ours of before or somebody else's: the kernel's list tells.
      if (outcomes?.includes("there")) await check();
    },
    giveUp() {
      held = false;
      generation += 1;
      troubles.clear();
      seen.clear();
      return soon(removeAll());
    },
    check,
    hint,
    describe() {
      const counts = [count(plan.routes.length, "route"), count(rules.length, "rule")].filter(Boolean);
      const absent = sources.filter((source) => gateways.get(source) === null);
      const noGateway = absent.map(
        ({ address, interfaceName }) =>
          `${address} is no source: no default route on ${interfaceName} with one next hop`,
      );
      const said = [
        counts.join(" and "),
        ...noGateway,
        ...[...troubles].map(([what, why]) => `${what}: ${why}`),
      ];
      return said.filter(Boolean).join("; ");
    },
    stop() {
      clearTimeout(timer);
      generation += 1;
      ip6?.stop();
    },
  };
}

/** An address that is there or gone already does not wait long for its routes. */
const mostWaitMs = 200;

function soon<T>(answers: Promise<T>): Promise<T | undefined> {
  const { promise, resolve } = Promise.withResolvers<undefined>();
  const timer = setTimeout(() => resolve(undefined), mostWaitMs);
  return Promise.race([answers, promise]).finally(() => clearTimeout(timer));
}

const count = (many: number, what: string): string =>
  many === 0 ? "" : `${many} ${what}${many === 1 ? "" : "s"}`;

/** `ip` prints the names of tables that have one, by rt_tables of iproute2. */
function tableNumbers(): ReadonlyMap<string, number> {
  const texts = ["/usr/share/iproute2", "/etc/iproute2"].flatMap((folder) => [
    ...linesOf(`${folder}/rt_tables`),
    ...confFiles(`${folder}/rt_tables.d`).flatMap(linesOf),
  ]);
  return new Map(
    texts.flatMap((line) => {
      const [, number, name] = /^\s*(\d+|0x[0-9a-f]+)\s+(\S+)/i.exec(line) ?? [];
      return number === undefined || name === undefined ? [] : [[name, Number(number)] as const];
    }),
  );
}

function confFiles(folder: string): readonly string[] {
  try {
    return readdirSync(folder)
      .filter((name) => name.endsWith(".conf"))
      .map((name) => `${folder}/${name}`);
  } catch {
    return [];
  }
}

function linesOf(path: string): readonly string[] {
  try {
    return readFileSync(path, "utf8").split("\n");
  } catch {
    // The file is optional.
    return [];
  }
}
