/**
 * What stands beside the pair: a granter that lets one node serve at a time, the gateways that a ping looks at, and the
 * plugs of both machines. Each can be cut off, be slow, lose answers or fail.
 */

import type { Outcome, Side } from "@understudy/core/public";
import { otherSide } from "./network.js";
import type { World } from "./world.js";

export type FenceTrouble = "none" | "slow" | "refuses" | "timesOut";

export interface Granter {
  holder: Side | undefined;
  /** The highest epoch ever granted. */
  epoch: number;
  /** World time; the machines reckon by clocks of their own. */
  untilMs: number;
  ttlMs: number;
}

export interface Protectors {
  readonly granter: Granter;
  /** Who cannot reach the granter. */
  readonly cutOff: Set<Side>;
  /** Each way takes this much longer. */
  slowByMs: number;
  /** Questions arrive, answers do not. */
  losesAnswers: boolean;
  /** By name of the fence. */
  readonly fenceTrouble: Map<string, FenceTrouble>;
  /** Shots that have been fired and are not done: nothing calls them back. */
  underWay: number;
  /** How often a fence has switched a machine off. */
  readonly shots: Record<Side, number>;
  ask(from: Side, epoch: number, names: readonly string[]): void;
  release(from: Side, epoch: number): void;
  fence(from: Side, id: number, name: string): void;
  /** The ping of a node would be denied now. */
  pingFails(side: Side): boolean;
  holds(side: Side): boolean;
  heal(): void;
}

type Ruling = {
  readonly verdict: "granted" | "denied" | "unknown";
  readonly why: string;
  readonly untilMs?: number;
  readonly seenEpoch?: number;
};

/** The plugin gives up then. */
const askTimeoutMs = 1000;
/** Longer than the longest wait for a slow path: no machine is up again before its death can be known. */
const bootMs = 3000;

export function makeProtectors(world: () => World, ttlMs: number): Protectors {
  const { open, deliver } = makeDesks(world);
  let healed = false;
  const random = () => world().random;
  const after = (ms: number, run: () => void) => void world().schedule.after(ms, run);
  const wayMs = () => random().between(0.2, 3) + self.slowByMs;

  function grant(side: Side, epoch: number, askedMs: number): Ruling {
    const { granter } = self;
    const nowMs = world().schedule.nowMs;
    const seenEpoch = granter.epoch;
    if (granter.holder !== side && granter.untilMs > nowMs)
      return { verdict: "denied", why: `the ${granter.holder} holds it`, seenEpoch };
    if (epoch < granter.epoch)
      return { verdict: "denied", why: `epoch ${granter.epoch} was granted`, seenEpoch };
    granter.holder = side;
    granter.epoch = epoch;
    granter.untilMs = nowMs + granter.ttlMs;
    return { verdict: "granted", why: "nobody else holds it", untilMs: askedMs + granter.ttlMs };
  }

  function askGranter(from: Side, epoch: number): void {
    const { clock } = world().machines[from];
    const ticket = open(from, "granter", epoch);
    if (ticket === undefined) return;
    const askedMs = clock.nowMs;
    after(askTimeoutMs, () => deliver(ticket, { verdict: "unknown", why: "no answer" }));
    after(wayMs(), () => {
      if (self.cutOff.has(from)) return;
      const ruling = grant(from, epoch, askedMs);
      if (self.losesAnswers) return;
      after(wayMs(), () => {
        if (!self.cutOff.has(from)) deliver(ticket, ruling);
      });
    });
  }

  function askPing(from: Side, epoch: number): void {
    const ticket = open(from, "ping", epoch);
    if (ticket === undefined) return;
    const fails = self.pingFails(from);
    after(fails ? 15 : random().between(0.2, 5), () =>
      deliver(
        ticket,
        fails ? { verdict: "denied", why: "no gateway" } : { verdict: "granted", why: "heard" },
      ),
    );
  }

  function shoot(from: Side, told: (outcome: Outcome, detail: string) => void, name: string): void {
    self.underWay += 1;
    const finish = (outcome: Outcome, detail: string): void => {
      self.underWay -= 1;
      told(outcome, detail);
    };
    const trouble = self.fenceTrouble.get(name) ?? "none";
    const target = otherSide(from);
    const off = () => {
      self.shots[target] += 1;
      world().say(`${name} switches the ${target} off`);
      world().machines[target].losePower();
      // Once all is well, somebody switches on again what was switched off.
      if (healed) after(bootMs, () => world().machines[target].boot());
    };
    if (trouble === "refuses") after(random().between(5, 50), () => finish("refused", "wrong password"));
    else if (trouble === "timesOut")
      after(askTimeoutMs, () => {
        if (random().chance(0.5)) off();
        finish("unknown", "no answer");
      });
    else
      after(random().between(20, trouble === "slow" ? 3000 : 300), () => {
        off();
        finish("confirmed", "");
      });
  }

  const self: Protectors = {
    granter: { holder: undefined, epoch: 0, untilMs: 0, ttlMs },
    cutOff: new Set(),
    slowByMs: 0,
    losesAnswers: false,
    fenceTrouble: new Map(),
    underWay: 0,
    shots: { primary: 0, secondary: 0 },
    ask(from, epoch, names) {
      if (names.includes("granter")) askGranter(from, epoch);
      if (names.includes("ping")) askPing(from, epoch);
    },
    release(from, epoch) {
      open(from, "granter", undefined);
      after(wayMs(), () => {
        const { granter } = self;
        if (!self.cutOff.has(from) && granter.holder === from && granter.epoch <= epoch) granter.untilMs = 0;
      });
    },
    fence(from, id, name) {
      const { node } = world().machines[from];
      const { lives } = node;
      shoot(
        from,
        (outcome, detail) => {
          if (node.lives !== lives) return;
          node.take(() => world().machines[from].tell({ type: "actionFinished", id, outcome, detail }));
        },
        name,
      );
    },
    pingFails: (side) => !world().network.plugged(side) || world().neighboursSilent,
    holds: (side) => self.granter.holder === side && self.granter.untilMs > world().schedule.nowMs,
    heal() {
      healed = true;
      self.cutOff.clear();
      self.slowByMs = 0;
      self.losesAnswers = false;
      self.fenceTrouble.clear();
    },
  };
  return self;
}

interface Ticket {
  readonly from: Side;
  readonly name: string;
  readonly epoch: number;
  readonly lives: number;
  answered: boolean;
}

/** Node's part: one question at a time, another epoch ends the one before, and a dead node hears nothing. */
function makeDesks(world: () => World) {
  const current = new Map<string, Ticket>();
  return {
    open(from: Side, name: string, epoch: number | undefined): Ticket | undefined {
      const { lives } = world().machines[from].node;
      const key = `${from} ${name}`;
      const before = current.get(key);
      if (before !== undefined && !before.answered && before.lives === lives && before.epoch === epoch)
        return undefined;
      current.delete(key);
      if (epoch === undefined) return undefined;
      const ticket = { from, name, epoch, lives, answered: false };
      current.set(key, ticket);
      return ticket;
    },
    deliver(ticket: Ticket, ruling: Ruling): void {
      const { from, name, epoch, lives } = ticket;
      const { node } = world().machines[from];
      const calledOff = current.get(`${from} ${name}`) !== ticket;
      if (ticket.answered || node.lives !== lives || (calledOff && ruling.verdict !== "granted")) return;
      ticket.answered = true;
      node.take(() => world().machines[from].tell({ type: "arbiterRuled", name, epoch, ...ruling }));
    },
  };
}
