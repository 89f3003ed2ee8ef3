/**
 * Users of the pair: they create, retry and end sessions at whoever answers for the HA address, remember what they were
 * promised, and hold the pair to it (promises G3 and G5, rules R18, R20 and R23).
 */

import type { Answer } from "@understudy/core/internal/sessions/request";
import type { SessionRow } from "@understudy/core/internal/sessions/store";
import type { Side } from "@understudy/core/public";
import { otherSide } from "./network.js";
import { watchPauses } from "./protection.js";
import { type Random, seededRandom } from "./random.js";
import { rowsById, staleAfterMs } from "./session-model.js";
import { Violation } from "./violation.js";
import { sides, type World } from "./world.js";

interface Wish {
  readonly kind: "create" | "end";
  readonly id: string;
  readonly user: string;
}

interface Promised {
  /** Nodes on whose disk it was when it was acknowledged. */
  readonly on: ReadonlySet<Side>;
  /** The same of its end; empty while it runs. */
  readonly endedOn: ReadonlySet<Side>;
}

export interface Clients {
  /** Who asks no more: what is under way may still be answered. */
  stop(): void;
  answered(side: Side, ticket: number, answer: Answer): void;
  /** The first acknowledged session that this disk does not have. */
  lackingOn(side: Side): string | undefined;
  /** After everything has healed and come to rest. */
  checkAtRest(): void;
}

const users = 12;
const alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

function sessionIdOf(random: Random): string {
  return Array.from({ length: 26 }, () => alphabet[Math.floor(random.next() * 32)]).join("");
}

export function makeClients(world: World, seed: number): Clients {
  const random = seededRandom(seed ^ 0x00c1_1e47);
  const wishes = new Map<number, Wish>();
  const unanswered: Wish[] = [];
  const asked = new Set<string>();
  const endAsked = new Set<string>();
  const promised = new Map<string, Promised>();
  let tickets = 0;
  let stopped = false;
  const models = (side: Side) => {
    const { sessions } = world.machines[side];
    if (sessions === undefined) throw new Error("this world has no sessions");
    return sessions;
  };

  const nextWish = (): Wish => {
    const chance = random.next();
    const retry = unanswered.length > 0 && chance < 0.25 ? random.pick(unanswered) : undefined;
    if (retry !== undefined) return retry;
    const running = [...promised].filter(([, { endedOn }]) => endedOn.size === 0);
    if (running.length > 0 && chance < 0.45) {
      const [id] = random.pick(running);
      return { kind: "end", id, user: "" };
    }
    return { kind: "create", id: sessionIdOf(random), user: `user${Math.floor(random.next() * users)}` };
  };
  const ask = (): void => {
    if (stopped) return;
    const answering = world.answering();
    if (answering.length > 0) askOne(random.pick(answering), nextWish());
    world.schedule.after(random.between(5, 80), ask);
  };
  const askOne = (side: Side, wish: Wish): void => {
    tickets += 1;
    const ticket = tickets;
    wishes.set(ticket, wish);
    if (!unanswered.includes(wish)) unanswered.push(wish);
    if (unanswered.length > 20) unanswered.shift();
    if (wish.kind === "create") asked.add(wish.id);
    else endAsked.add(wish.id);
    const { node, clock } = world.machines[side];
    if (clock.paused) return;
    node.take(() => {
      if (node.serving === undefined) return;
      const { id, user } = wish;
      const session = { id, user, agent: "agent1", createdAt: "2026-11-24T00:00:00.000Z", attributes: "{}" };
      models(side).submit(
        wish.kind === "create" ? { kind: "create", ticket, session } : { kind: "end", ticket, id },
      );
    });
  };

  const answered = (side: Side, ticket: number, answer: Answer): void => {
    const wish = wishes.get(ticket);
    wishes.delete(ticket);
    if (wish === undefined || !answer.ok) return;
    // Only under a permit for the same epoch is an answer passed on (rule R21).
    if (world.machines[side].node.permitted() !== answer.epoch) return;
    const at = unanswered.indexOf(wish);
    if (at !== -1) unanswered.splice(at, 1);
    const { id } = answer.row;
    const on: Side[] = answer.acknowledgement === "replicated" ? [side, otherSide(side)] : [side];
    for (const each of on) {
      const row = models(each).store.get(id);
      const held = row !== undefined && (wish.kind === "create" || row.ended);
      if (!held && !models(each).forgot && !(row === undefined && endAsked.has(id)))
        throw new Violation(
          "acknowledged",
          `${side} acknowledged ${wish.kind} ${id} as ${answer.acknowledgement}, and ${each} does not have it`,
        );
    }
    const known = promised.get(id);
    promised.set(id, {
      on: new Set([...(known?.on ?? []), ...on]),
      endedOn: new Set([...(known?.endedOn ?? []), ...(wish.kind === "end" ? on : [])]),
    });
  };

  const lackingOn = (side: Side): string | undefined => {
    if (sides.some((each) => models(each).forgot)) return undefined;
    const { store } = models(side);
    for (const id of promised.keys()) if (store.get(id) === undefined && !endAsked.has(id)) return id;
    return undefined;
  };

  const afterPause = watchPauses(world, staleAfterMs + 1);
  /**
   * A standby that says it is in sync has all that was ever acknowledged (rule R20). What was left of a belief when its
   * clock stood still is left after the pause, where no envelope comes to end it: see in-sync.ts.
   */
  const checkBelief = (): void => {
    for (const side of sides) {
      const { node, clock, sessions } = world.machines[side];
      if (sessions?.replica === undefined || node.hung || clock.paused || node.serving !== undefined)
        continue;
      if (world.overlapExcused() || afterPause(side)) continue;
      if (!sessions.report().inSync) continue;
      const lacking = lackingOn(side);
      if (lacking !== undefined)
        throw new Violation("belief", `${side} believes itself in sync and lacks ${lacking}`);
    }
    world.schedule.after(100, checkBelief);
  };
  world.schedule.after(50, ask);
  world.schedule.after(100, checkBelief);

  const checkPromises = (): void => {
    // Each disk that it was on and that forgot nothing keeps the promise.
    const keeps = (disks: ReadonlySet<Side>) => [...disks].some((side) => !models(side).forgot);
    for (const [id, { on, endedOn }] of promised) {
      const kept = keeps(on);
      for (const side of sides) {
        const row = models(side).store.get(id);
        if (row === undefined && kept && !endAsked.has(id))
          throw new Violation("acknowledged", `${id}, acknowledged by ${[...on]}, is gone from ${side}`);
        if (row?.ended === false && keeps(endedOn))
          throw new Violation("acknowledged", `${id} was acknowledged as ended and runs on ${side}`);
      }
    }
  };
  return {
    stop: () => {
      stopped = true;
    },
    answered,
    lackingOn,
    checkAtRest: () => {
      checkPromises();
      checkEqual(world);
      checkUsers(world, asked);
    },
  };
}

/** R18: two databases that have met are equal, row by row and in what they say of themselves. */
function checkEqual(world: World): void {
  const [primary, secondary] = sides.map((side) => world.machines[side].sessions);
  if (primary === undefined || secondary === undefined) return;
  const rows = [rowsById(primary.store), rowsById(secondary.store)] as const;
  for (const [one, other] of [rows, [rows[1], rows[0]] as const]) {
    for (const [id, row] of one) {
      const same = other.get(id);
      if (same === undefined && row.ended) continue;
      if (textOf(row) !== textOf(same))
        throw new Violation("equal", `${textOf(row)} here, ${textOf(same)} there`);
    }
  }
  const [one, other] = [primary, secondary].map(({ ledger }) => JSON.stringify(ledger?.digest));
  if (one !== other) throw new Violation("equal", `digests differ: ${one} and ${other}`);
}

function textOf(row: SessionRow | undefined): string {
  if (row === undefined) return "nothing";
  const { id, user, agent, createdAt, attributes, ended, overLimit, epoch, origin, sequence } = row;
  return [id, user, agent, createdAt, attributes, ended, overLimit, epoch, origin, sequence].join(" ");
}

/** R23, G5: nobody has more running sessions than one without a flag, and none that was never asked for. */
function checkUsers(world: World, asked: ReadonlySet<string>): void {
  const within = new Map<string, string>();
  for (const row of world.machines.primary.sessions?.store.allRows() ?? []) {
    if (!asked.has(row.id)) throw new Violation("one session", `nobody asked for ${row.id}`);
    if (row.ended || row.overLimit) continue;
    const known = within.get(row.user);
    if (known !== undefined)
      throw new Violation("one session", `${row.user} runs ${known} and ${row.id}, and neither is flagged`);
    within.set(row.user, row.id);
  }
}
