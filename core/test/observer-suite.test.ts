/** The suite for observers accepts one that writes to a list, and refuses what breaks the contract. */

import { setTimeout as pause } from "node:timers/promises";
import {
  type ObserverSuite,
  observerConformance,
  observerTests,
} from "@understudy/core/conformance/observer";
import type { Observer, TimelineEntry } from "@understudy/core/public";
import { refuses, workOf } from "./suite-kit.js";

type Change = (right: Observer) => Partial<Observer>;

function suiteOf(name: string, change: Change = () => ({})): ObserverSuite {
  const make = async (broken: boolean) => {
    const seen: string[] = [];
    const right: Observer = {
      async start() {},
      async observe({ what }) {
        if (broken) throw new Error("nobody listens");
        seen.push(what);
      },
      async stop() {},
      describe: () => "a list",
    };
    return { observer: { ...right, ...change(right) }, seen: () => seen, dispose() {} };
  };
  return { name, make: () => make(false), makeBroken: () => make(true) };
}

observerConformance(suiteOf("a list"));

function refusesIn(name: string, wrong: string, why: RegExp, change: Change): void {
  refuses(wrong, why, () => workOf(observerTests(suiteOf(wrong, change)), name)());
}

const inOrder = "what it is told reaches the world in order";
refusesIn(inOrder, "drops one of three", /in vain for: all four/, (right) => {
  let told = 0;
  return {
    async observe(entry) {
      told += 1;
      if (told % 3 !== 0) await right.observe(entry);
    },
  };
});
refusesIn(inOrder, "turns the order round", /deep/i, (right) => {
  let told = 0;
  return {
    async observe(entry) {
      told += 1;
      void pause(100 - 20 * told).then(() => right.observe(entry));
    },
  };
});
refusesIn("any text is carried as it is", "keeps the first line", /deep/i, (right) => ({
  observe: (entry) => right.observe({ ...entry, what: entry.what.split("\n")[0] ?? "" }),
}));
const shared = "an entry is shared with other observers, and is not changed";
refusesIn(shared, "writes into the entry", /deep/i, (right) => ({
  async observe(entry) {
    await right.observe(entry);
    Object.assign(entry, { what: "mine" });
  },
}));
refusesIn(shared, "promises nothing", /observe gives a promise/, (right) => ({
  observe: ((entry: TimelineEntry) => void right.observe(entry)) as unknown as Observer["observe"],
}));
refusesIn(
  "a broken way to the world ends each call by itself",
  "tries for ever",
  /in vain for: an entry that cannot be delivered/,
  () => ({ observe: () => new Promise(() => {}) }),
);
refusesIn("it stops without a start", "cannot", /never started/, () => ({
  stop: async () => {
    throw new Error("it was never started");
  },
}));
