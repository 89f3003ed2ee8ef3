/**
 * Two replicas on memory stores with a link and a clock that the test moves: every envelope is delivered, delayed or
 * lost when the test says so. Nothing in here waits for anything, so a seed gives the same run every time.
 */

import { createMemoryStore, type MemoryStore, type StoreImage } from "../src/conformance/memory-store.js";
import { type Ledger, openLedger } from "../src/sessions/ledger.js";
import { createReplica, type Replica, type ReplicaSettings } from "../src/sessions/replica.js";
import type { Answer } from "../src/sessions/request.js";
import type { SessionRow } from "../src/sessions/store.js";

export const times: ReplicaSettings = {
  staleAfterMs: 500,
  soloAfterMs: 1000,
  keepAliveMs: 100,
  digestEveryMs: 10_000,
};

export interface Acked {
  readonly side: "primary" | "secondary";
  readonly ticket: number;
  readonly answer: Answer;
  readonly atMs: number;
}

export interface TestNode {
  readonly side: "primary" | "secondary";
  readonly store: MemoryStore;
  replica: Replica;
  ledger: Ledger;
  running: boolean;
  readonly inbox: Uint8Array[];
  readonly frozen: { readonly id: number; readonly outcome: string; readonly detail: string }[];
  readonly notes: string[];
  wantsReset: boolean;
}

export interface Pair {
  nowMs: number;
  readonly nodes: Readonly<Record<"primary" | "secondary", TestNode>>;
  readonly answers: Acked[];
  linkUp: boolean;
  /** The link connects by itself whenever both run. */
  cut: boolean;
  start(side: "primary" | "secondary"): void;
  /** Power off: the open transaction and everything in memory is gone. */
  crash(side: "primary" | "secondary"): void;
  create(side: "primary" | "secondary", user: string, key?: string): number;
  end(side: "primary" | "secondary", id: string): number;
  /** Delivers and works until nothing moves, without passing time. */
  settle(): void;
  /** One delivery or one piece of work of a node. Returns whether something moved. */
  step(side: "primary" | "secondary", deliver: number): boolean;
  pass(ms: number): void;
  answer(ticket: number): Answer | undefined;
}

export const sides = ["primary", "secondary"] as const;
export const otherSide = (side: "primary" | "secondary") => (side === "primary" ? "secondary" : "primary");

/** 26 characters out of a text: as unique as the text in tests. */
export function testId(text: string): string {
  const alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
  let id = "";
  let state = 0x811c9dc5;
  for (let at = 0; at < 26; at += 1) {
    for (const character of `${text}/${at}`) {
      state = Math.imul(state ^ character.charCodeAt(0), 0x01000193) >>> 0;
    }
    id += alphabet.charAt((state >>> 7) & 31);
  }
  return id;
}

export function makePair(seed = 1, settings: Partial<ReplicaSettings> = {}): Pair {
  const files = new Map<string, StoreImage>();
  const answers: Acked[] = [];
  const byTicket = new Map<number, Answer>();
  let incarnations = 0;
  let tickets = 0;
  const incarnation = () => {
    incarnations += 1;
    return (seed * 1000 + incarnations).toString(16).padStart(12, "0");
  };

  function make(side: "primary" | "secondary", store: MemoryStore): TestNode {
    const { ledger } = openLedger({ store, side, incarnation, mostArchived: 50 });
    const node: TestNode = {
      side,
      store,
      ledger,
      running: true,
      inbox: [],
      frozen: [],
      notes: [],
      wantsReset: false,
      replica: undefined as unknown as Replica,
    };
    node.replica = createReplica({
      side,
      ledger,
      store,
      settings: { ...times, ...settings },
      startMs: pair === undefined ? 1000 : pair.nowMs,
      effects: {
        send(envelope) {
          if (pair.linkUp) pair.nodes[otherSide(side)].inbox.push(Uint8Array.from(envelope));
        },
        bufferedBytes: () => 0,
        resetLink(reason) {
          node.notes.push(`reset: ${reason}`);
          node.wantsReset = true;
        },
        answer(ticket, answer) {
          byTicket.set(ticket, answer);
          answers.push({ side, ticket, answer, atMs: pair.nowMs });
        },
        frozen: (id, outcome, detail) => node.frozen.push({ id, outcome, detail }),
        note: (_level, message) => node.notes.push(message),
        files: fileEffects(node, files),
      },
    });
    return node;
  }

  function look(): void {
    const { primary, secondary } = pair.nodes;
    const may = primary.running && secondary.running && !pair.cut;
    const reset = primary.wantsReset || secondary.wantsReset;
    if (pair.linkUp && (!may || reset)) {
      pair.linkUp = false;
      for (const side of sides) {
        const node = pair.nodes[side];
        node.inbox.length = 0;
        node.wantsReset = false;
        if (node.running) node.replica.linkClosed(pair.nowMs);
      }
    }
    if (!pair.linkUp && may) {
      pair.linkUp = true;
      primary.wantsReset = false;
      secondary.wantsReset = false;
      for (const side of sides) pair.nodes[side].replica.linkOpened(pair.nowMs);
    }
  }

  let pair: Pair;
  const made: Partial<Record<"primary" | "secondary", TestNode>> = {};
  pair = {
    nowMs: 1000,
    answers,
    linkUp: false,
    cut: false,
    nodes: made as Record<"primary" | "secondary", TestNode>,
    start(side) {
      const old = made[side];
      made[side] = make(side, old?.store ?? createMemoryStore({ files }));
      look();
    },
    crash(side) {
      const node = pair.nodes[side];
      node.running = false;
      node.store.crash();
      look();
    },
    create(side, user, key = user) {
      tickets += 1;
      const session = {
        id: testId(`${user}/${key}`),
        user,
        agent: "agent1",
        createdAt: "2026-11-24T00:00:00.000Z",
        attributes: '{"display":"1"}',
      };
      pair.nodes[side].replica.submit({ kind: "create", ticket: tickets, session }, pair.nowMs);
      return tickets;
    },
    end(side, id) {
      tickets += 1;
      pair.nodes[side].replica.submit({ kind: "end", ticket: tickets, id }, pair.nowMs);
      return tickets;
    },
    step(side, deliver) {
      const node = pair.nodes[side];
      if (!node.running) return false;
      const arrived = node.inbox.splice(0, deliver);
      for (const envelope of arrived) node.replica.received(envelope, pair.nowMs);
      const more = node.replica.work(pair.nowMs);
      const moved = more || arrived.length > 0 || node.wantsReset;
      look();
      return moved;
    },
    settle() {
      for (let round = 0; round < 20_000; round += 1) {
        let moved = false;
        for (const side of sides) {
          pair.nodes[side].replica.work(pair.nowMs);
          moved = pair.step(side, 100) || moved || pair.nodes[side].inbox.length > 0;
        }
        if (!moved && sides.every((side) => pair.nodes[side].inbox.length === 0)) return;
      }
      const notes = sides.map((side) => pair.nodes[side].notes.slice(-5).join("; "));
      throw new Error(`the pair does not come to rest: ${notes.join(" | ")}`);
    },
    pass(ms) {
      const untilMs = pair.nowMs + ms;
      while (pair.nowMs < untilMs) {
        pair.nowMs = Math.min(pair.nowMs + 20, untilMs);
        for (const side of sides) {
          const node = pair.nodes[side];
          if (node.running) node.replica.tick(pair.nowMs);
        }
        look();
        pair.settle();
      }
    },
    answer: (ticket) => byTicket.get(ticket),
  };
  for (const side of sides) made[side] = make(side, createMemoryStore({ files }));
  look();
  return pair;
}

function fileEffects(node: TestNode, files: Map<string, StoreImage>) {
  const out = `${node.side}.copy`;
  const into = `${node.side}.received`;
  return {
    copy() {
      // A copy is an object of this process; its bytes stand for it on the wire.
      files.set(out, node.store.image());
      node.replica.snapshotCopied(600_000);
    },
    read: (_offset: number, bytes: number) => new Uint8Array(bytes),
    beginReceiving() {
      const copy = files.get(`${otherSide(node.side)}.copy`);
      if (copy !== undefined) files.set(into, copy);
    },
    write() {},
    replaceStore: () => node.store.replaceWith(into),
    drop() {},
  };
}

export function rowsOf(node: TestNode): readonly SessionRow[] {
  return [...node.store.allRows()].sort((a, b) => (a.id < b.id ? -1 : 1));
}
