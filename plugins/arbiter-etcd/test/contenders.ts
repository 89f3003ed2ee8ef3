/** Both nodes' instances of the plugin against one etcd, as a test uses them. */

import assert from "node:assert/strict";
import {
  makePlugin,
  monotonicClock,
  otherNode,
  recordingLog,
  testNode,
} from "@understudy/core/conformance/capabilities";
import { until } from "@understudy/core/conformance/until";
import type { Arbiter, Ruling } from "@understudy/core/public";
import etcd from "../src/plugin.js";
import { nowMs } from "./etcd-members.js";

let made = 0;

/** A name that no other test in this process uses. */
export function freshCluster(): string {
  made += 1;
  return `c${made}`;
}

/** What is in etcd after both nodes have ended in order. */
export const givenBack = '{"epoch":0,"node":"one","ttlMs":2000,"released":true}';

export interface Contender {
  readonly name: "one" | "two";
  readonly arbiter: Arbiter;
  readonly log: ReturnType<typeof recordingLog>;
  ask(epoch: number): Promise<Ruling>;
  /**
   * Asks until it is ruled so, and fails when it is ruled otherwise. What comes too late is unknown and settles nothing:
   * on a busy machine any one answer may be late.
   */
  ruled(epoch: number, verdict: Ruling["verdict"], why?: RegExp): Promise<Ruling>;
}

export async function contender(
  name: "one" | "two",
  cluster: string,
  options: Readonly<Record<string, unknown>>,
): Promise<Contender> {
  const node = name === "one" ? testNode({ cluster }) : otherNode(testNode({ cluster }));
  const log = recordingLog();
  const arbiter = makePlugin(etcd, options, { node, clock: monotonicClock(), log });
  await arbiter.start();
  const ask = (epoch: number) => arbiter.ask(epoch, new AbortController().signal);
  return {
    name,
    arbiter,
    log,
    ask,
    async ruled(epoch, verdict, why = /./) {
      let ruling = await ask(epoch);
      const asWanted = () => ruling.verdict === verdict && why.test(ruling.why);
      const settled = () => asWanted() || ruling.verdict !== "unknown";
      if (!settled())
        await until(`${verdict}, ${why}`, async () => {
          ruling = await ask(epoch);
          return settled();
        }).catch(() => undefined);
      assert.equal(ruling.verdict, verdict, ruling.why);
      assert.match(ruling.why, why);
      return ruling;
    },
  };
}

export interface Serving {
  readonly node: string;
  readonly epoch: number;
  readonly fromMs: number;
  toMs: number;
}

/** Writes down who may serve when, and finds two at one time. */
export function makeLedger() {
  const all: Serving[] = [];
  return {
    all,
    granted(node: string, epoch: number, untilMs: number): void {
      const last = all.findLast((one) => one.node === node && one.epoch === epoch);
      if (last !== undefined && last.toMs >= nowMs()) last.toMs = Math.max(last.toMs, untilMs);
      else all.push({ node, epoch, fromMs: nowMs(), toMs: untilMs });
    },
    /** Call it before the release leaves. */
    released(node: string): void {
      for (const one of all) if (one.node === node) one.toMs = Math.min(one.toMs, nowMs());
    },
    overlaps(): readonly string[] {
      return all.flatMap((one, index) =>
        all
          .slice(index + 1)
          .filter((two) => two.node !== one.node && two.fromMs < one.toMs && one.fromMs < two.toMs)
          .map((two) => `${JSON.stringify(one)} and ${JSON.stringify(two)}`),
      );
    },
  };
}
