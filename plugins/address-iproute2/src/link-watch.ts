/**
 * Keeps up with the machine's interfaces: those that appear get the kernel lease, those made anew are used under their
 * new index, carriers are told. Hears of changes from the monitor, and asks once a second for what it may have missed.
 */

import type { LinkState } from "./ip-commands.js";
import type { Parts } from "./parts.js";

export interface LinkWatch {
  changed(state: LinkState): void;
  /** Compares with what the kernel says now. */
  check(): Promise<void>;
}

export interface LinkWatchNeeds {
  readonly parts: () => Parts | undefined;
  readonly noteCarrier: (state: Pick<LinkState, "name" | "carrier">) => void;
}

export function makeLinkWatch({ parts, noteCarrier }: LinkWatchNeeds): LinkWatch {
  /** Names by index, as last heard. */
  const known = new Map<number, string>();

  function appeared({ lease, refresher, table, interfaces }: Parts, state: LinkState): void {
    const before = interfaces.find(({ name }) => name === state.name)?.index;
    // `ip` remembers the index it first saw under a name, and would go on using it.
    const isNew = !known.has(state.index) && before !== undefined && before !== state.index;
    known.set(state.index, state.name);
    if (isNew) table.forgetInterfaces();
    if (state.loopback || state.port) return;
    lease.interfaceAppeared(state);
    if (typeof refresher !== "string") refresher.interfaceAppeared(state);
  }

  function changed(state: LinkState): void {
    const current = parts();
    if (current === undefined) return;
    if (!state.gone) appeared(current, state);
    else {
      known.delete(state.index);
      current.lease.interfaceGone(state.index);
    }
    noteCarrier(state);
  }

  return {
    changed,
    async check() {
      const current = parts();
      const states = await current?.table.links();
      if (states === undefined || current !== parts()) return;
      const there = new Set(states.map(({ index }) => index));
      for (const [index, name] of known) {
        if (there.has(index)) continue;
        known.delete(index);
        current?.lease.interfaceGone(index);
        if (!states.some((state) => state.name === name)) noteCarrier({ name, carrier: false });
      }
      for (const state of states) changed(state);
    },
  };
}
