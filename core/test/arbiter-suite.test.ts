/** The suite for arbiters accepts a granter in memory that keeps the contract, exclusive and advisory. */

import { arbiterConformance } from "@understudy/core/conformance/arbiter";
import type { Arbiter, Side } from "@understudy/core/public";
import { type Granter, makeGranter, memoryArbiter } from "./arbiter-kit.js";

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
