/**
 * The session half of a simulated node: the production replica on a store in memory whose disk can be full, lie, be
 * damaged and be rolled back. It ticks by the machine's clock, stands still while the process hangs, and is gone with it.
 */

import {
  createMemoryStore,
  type MemoryStore,
  type StoreImage,
} from "@understudy/core/conformance/memory-store";
import { type Ledger, openLedger } from "@understudy/core/internal/sessions/ledger";
import { createReplica, type Replica } from "@understudy/core/internal/sessions/replica";
import type { Answer, Request } from "@understudy/core/internal/sessions/request";
import { type SessionRow, StoreFailure } from "@understudy/core/internal/sessions/store";
import type { Outcome, Side } from "@understudy/core/public";
import type { MachineClock } from "./clock.js";
import { otherSide } from "./network.js";
import type { Random } from "./random.js";

/** What the session thread does to the world beyond itself. */
export interface SessionOutside {
  send(from: Side, envelope: Uint8Array): void;
  resetLink(from: Side, reason: string): void;
  answered(from: Side, ticket: number, answer: Answer): void;
  frozen(from: Side, id: number, outcome: Outcome, detail: string): void;
  /** What the node report says of the sessions is different now. */
  changed(from: Side): void;
  /** The store failed for good: the process ends. */
  died(from: Side, why: string): void;
}

/** A rule of the session half broken on purpose. */
export interface SessionMutation {
  answer?(answer: Answer): Answer;
  store?(store: MemoryStore): void;
  believes?: boolean;
}

export interface SessionModelParts {
  readonly side: Side;
  readonly clock: MachineClock;
  readonly random: Random;
  readonly outside: SessionOutside;
  /** Copies on their way between the two machines. */
  readonly files: Map<string, StoreImage>;
  /** Runs it in the node process: at once, when it goes on, or never. */
  readonly inProcess: (work: () => void) => void;
  readonly mutation: SessionMutation | undefined;
}

export interface SessionModel {
  readonly replica: Replica | undefined;
  readonly store: MemoryStore;
  readonly ledger: Ledger | undefined;
  /** Something that was durable is gone from this disk: what hangs on it alone is promised no more. */
  readonly forgot: boolean;
  /** Throws a StoreFailure when the store cannot be opened. */
  start(): void;
  kill(): void;
  submit(request: Request): void;
  linkChanged(up: boolean): void;
  received(envelope: Uint8Array): void;
  setServing(serving: { readonly epoch: number; readonly stale: boolean } | undefined): void;
  freeze(id: number, freezeMs: number): void;
  unfreeze(): void;
  report(): {
    readonly store: boolean;
    readonly verified: boolean;
    readonly inSync: boolean;
    /** The database was set aside and is not refilled yet (rule R22). */
    readonly lost: boolean;
  };
  beginLying(): void;
  /** Acknowledged writes since the lie began are gone. */
  losePower(): void;
  endLying(): void;
  rollBack(by: number): void;
  damage(): void;
}

const tickMs = 20;
const imagesEveryMs = 400;
export const staleAfterMs = 500;
const settings = { staleAfterMs, soloAfterMs: 1000, keepAliveMs: 100, digestEveryMs: 2000 };

export function makeSessionModel(parts: SessionModelParts): SessionModel {
  const { side, clock, random, outside, files, inProcess, mutation } = parts;
  const store = createMemoryStore({ files });
  mutation?.store?.(store);
  let life: { readonly ledger: Ledger; readonly replica: Replica } | undefined;
  let working = false;
  let said = "";
  let forgot = false;
  let beforeLie: StoreImage | undefined;
  const images: StoreImage[] = [store.image()];

  const guarded = (action: (replica: Replica) => void): void => {
    if (life === undefined) return;
    try {
      action(life.replica);
      const saying = JSON.stringify(life.replica.report(clock.nowMs));
      if (saying === said) return;
      said = saying;
      outside.changed(side);
    } catch (error) {
      if (!(error instanceof StoreFailure)) throw error;
      outside.died(side, error.message);
    }
  };
  const work = (): void => {
    if (working || life === undefined) return;
    working = true;
    const current = life;
    // A commit with its flush.
    clock.after(random.between(0.1, 0.4), () =>
      inProcess(() => {
        working = false;
        if (life !== current) return;
        guarded((replica) => {
          if (replica.work(clock.nowMs)) work();
        });
      }),
    );
  };
  const tick = (current: typeof life): void => {
    clock.after(tickMs, () => {
      if (life === undefined || life !== current) return;
      inProcess(() => {
        if (life === current) guarded((replica) => replica.tick(clock.nowMs));
        work();
      });
      tick(current);
    });
  };
  const keepImages = (): void => {
    clock.after(imagesEveryMs, () => {
      if (beforeLie === undefined && images.at(-1)?.rows.size !== store.image().rows.size)
        images.push(store.image());
      if (images.length > 12) images.shift();
      keepImages();
    });
  };
  keepImages();
  const put = (image: StoreImage) => {
    store.restore(image);
    forgot = true;
  };
  return {
    store,
    get replica() {
      return life?.replica;
    },
    get ledger() {
      return life?.ledger;
    },
    get forgot() {
      return forgot;
    },
    start: () => {
      const incarnation = () =>
        Math.floor(random.next() * 2 ** 48)
          .toString(16)
          .padStart(12, "0");
      const { ledger } = openLedger({ store, side, incarnation });
      const replica: Replica = createReplica({
        side,
        ledger,
        store,
        settings,
        startMs: clock.nowMs,
        effects: {
          send: (envelope) => outside.send(side, Uint8Array.from(envelope)),
          bufferedBytes: () => 0,
          resetLink: (reason) => outside.resetLink(side, reason),
          answer: (ticket, answer) => outside.answered(side, ticket, mutation?.answer?.(answer) ?? answer),
          frozen: (id, outcome, detail) => outside.frozen(side, id, outcome, detail),
          note: () => {},
          files: fileEffects(side, store, files, () => {
            clock.after(random.between(1, 50), () => inProcess(() => life?.replica.snapshotCopied(600_000)));
          }),
        },
      });
      life = { ledger, replica };
      working = false;
      tick(life);
    },
    kill: () => {
      life = undefined;
      store.crash();
    },
    submit: (request) => {
      guarded((replica) => replica.submit(request, clock.nowMs));
      work();
    },
    linkChanged: (up) => {
      guarded((replica) => (up ? replica.linkOpened(clock.nowMs) : replica.linkClosed(clock.nowMs)));
      work();
    },
    received: (envelope) => {
      guarded((replica) => replica.received(envelope, clock.nowMs));
      work();
    },
    setServing: (serving) => {
      guarded((replica) => replica.setServing(serving, clock.nowMs));
      work();
    },
    freeze: (id, freezeMs) => {
      guarded((replica) => replica.freeze(id, freezeMs, clock.nowMs));
      work();
    },
    unfreeze: () => guarded((replica) => replica.unfreeze()),
    report: () => {
      const told = life?.replica.report(clock.nowMs) ?? { store: false, verified: false, inSync: false };
      const lost = life !== undefined && life.ledger.mustRefill !== "";
      return { ...told, lost, inSync: told.inSync || mutation?.believes === true };
    },
    beginLying: () => {
      beforeLie ??= store.image();
    },
    losePower: () => {
      if (beforeLie !== undefined) put(beforeLie);
    },
    endLying: () => {
      beforeLie = undefined;
    },
    rollBack: (by) => put(images[Math.max(0, images.length - by)] ?? store.image()),
    damage: () => {
      store.damage("a page does not match its checksum");
      forgot = true;
    },
  };
}

/** A copy is an object of this process; its bytes stand for it on the wire. */
function fileEffects(side: Side, store: MemoryStore, files: Map<string, StoreImage>, copied: () => void) {
  const into = `${side}.received`;
  return {
    copy: () => {
      files.set(`${side}.copy`, store.image());
      copied();
    },
    read: (_offset: number, bytes: number) => new Uint8Array(bytes),
    beginReceiving: () => {
      const copy = files.get(`${otherSide(side)}.copy`);
      if (copy !== undefined) files.set(into, copy);
    },
    write: () => {},
    replaceStore: () => store.replaceWith(into),
    drop: () => {},
  };
}

export function rowsById(store: MemoryStore): ReadonlyMap<string, SessionRow> {
  return new Map([...store.allRows()].map((row) => [row.id, row]));
}
