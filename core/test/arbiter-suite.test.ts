/** The suite for arbiters accepts a granter in memory that keeps the contract, exclusive and advisory, and refuses wrong ones. */

import {
  type ArbiterSuite,
  arbiterConformance,
  arbiterTests,
  useArbiter,
} from "@understudy/core/conformance/arbiter";
import { grantTests } from "@understudy/core/conformance/arbiter-grants";
import type { Arbiter, Side } from "@understudy/core/public";
import { type Granter, makeGranter, memoryArbiter } from "./arbiter-kit.js";
import { refuses, workOf } from "./suite-kit.js";

const fixtureOf = (granter: Granter, of: (side: Side) => Arbiter) => ({
  of,
  cutOff() {
    granter.cutOff = true;
  },
  heal() {
    granter.cutOff = false;
  },
  dispose() {},
});

arbiterConformance({
  name: "a granter in memory",
  exclusive: true,
  async make() {
    const granter = makeGranter(3000);
    return fixtureOf(granter, (side) => memoryArbiter(granter, side));
  },
});

arbiterConformance({
  name: "an adviser in memory",
  exclusive: false,
  async make() {
    const granter = makeGranter(3000);
    return fixtureOf(granter, (side) => {
      const { release: _, ...arbiter } = memoryArbiter(granter, side);
      const ask: Arbiter["ask"] = async (epoch, signal) => {
        const { verdict, why } = await arbiter.ask(epoch, signal);
        return { verdict, why };
      };
      return { ...arbiter, ask };
    });
  },
});

type Change = (right: Arbiter, granter: Granter, side: Side) => Partial<Arbiter>;

function refusesIn(name: string, wrong: string, why: RegExp, change: Change): void {
  const suite: ArbiterSuite = {
    name: wrong,
    exclusive: true,
    async make() {
      const granter = makeGranter(1000);
      return fixtureOf(granter, (side) => {
        const right = memoryArbiter(granter, side);
        return { ...right, ...change(right, granter, side) };
      });
    },
  };
  refuses(wrong, why, () => useArbiter(suite, workOf([...arbiterTests, ...grantTests], name)));
}

const grantMs = 1000;
const nowMs = () => Number(process.hrtime.bigint()) / 1e6;
/** What the right ruling and the one that came are called. */
const differs = /granted|denied/;

refusesIn("what one node holds is denied to the other", "grants twice", differs, (right) => ({
  async ask(epoch, signal) {
    const ruling = await right.ask(epoch, signal);
    return { ...ruling, verdict: "granted", untilMs: ruling.untilMs ?? nowMs() + grantMs };
  },
}));
const atOnce = "asked by both at once it grants at most one";
refusesIn(atOnce, "looks first and writes later", /granted/, (right, granter, side) => ({
  async ask(epoch, signal) {
    const free = granter.untilMs < nowMs();
    await new Promise((next) => setTimeout(next, 5));
    if (free) Object.assign(granter, { holder: side, untilMs: 0 });
    return right.ask(free ? Math.max(epoch, granter.epoch + 1) : epoch, signal);
  },
}));
refusesIn(
  "a grant that is not prolonged ends, and not a moment before its time",
  "says too late an end",
  /before its end/,
  (right) => ({
    async ask(epoch, signal) {
      const { untilMs, ...ruling } = await right.ask(epoch, signal);
      return untilMs === undefined ? ruling : { ...ruling, untilMs: untilMs + 500 };
    },
  }),
);
refusesIn("a release frees the grant at once, and may be repeated", "releases nothing", differs, () => ({
  release: async () => {},
}));
refusesIn(
  "a late release of an older epoch frees nothing",
  "releases whatever is held",
  /serves with epoch 3/,
  (right, granter) => ({
    release: async () => right.release?.(granter.epoch),
  }),
);
refusesIn("nobody releases what another holds", "releases for everybody", differs, (_, granter) => ({
  async release() {
    granter.untilMs = 0;
  },
}));
refusesIn(
  "the end of a node process frees nothing, and the next one goes on with the grant",
  "frees its grant at its stop",
  /a stop frees nothing/,
  (right, granter) => ({
    async stop() {
      granter.untilMs = 0;
      await right.stop();
    },
  }),
);
refusesIn("epochs never go back, for neither node", "forgets epochs", differs, (right, granter) => ({
  ask(epoch, signal) {
    granter.epoch = 0;
    return right.ask(epoch, signal);
  },
}));
const cut = "without an answer it says so in time, and grants nothing it cannot know";
refusesIn(cut, "grants when nobody answers", /nobody can have said so/, (right) => ({
  async ask(epoch, signal) {
    const ruling = await right.ask(epoch, signal);
    return ruling.verdict === "unknown"
      ? { verdict: "granted", why: "nobody objects", untilMs: nowMs() + grantMs }
      : ruling;
  },
}));
refusesIn(
  "an abort ends a question at once, and the next one works",
  "does not hear an abort",
  /in vain for: an aborted question/,
  (right, granter) => ({
    async ask(epoch, signal) {
      if (granter.cutOff) await new Promise((next) => setTimeout(next, 4000).unref());
      return right.ask(epoch, signal);
    },
  }),
);
refusesIn("stopped it grants nothing", "grants after its stop", differs, () => ({ stop: async () => {} }));
refusesIn("each ruling says why, in one line", "gives no reason", /did not match/, (right) => ({
  ask: async (epoch, signal) => ({ ...(await right.ask(epoch, signal)), why: "" }),
}));
refusesIn("asked twice it says the same", "grants without an end", /has an end/, (right) => ({
  async ask(epoch, signal) {
    const { untilMs: _, ...ruling } = await right.ask(epoch, signal);
    return ruling;
  },
}));
