/** The suite for address backends accepts one over a set in memory that keeps the contract, and refuses what breaks it. */

import { type AddressSuite, addressConformance, addressTests } from "@understudy/core/conformance/address";
import type { AddressBackend, AddressReports } from "@understudy/core/public";
import { refuses, workOf } from "./suite-kit.js";

const haAddresses = ["10.0.0.4", "10.0.0.5"] as const;

type Kernel = Set<string>;
type Change = (right: AddressBackend, kernel: Kernel) => Partial<AddressBackend>;

function memoryBackend(kernel: Kernel): AddressBackend {
  const clear = () => {
    for (const address of haAddresses) kernel.delete(address);
  };
  const gone = async () => {
    clear();
    return "confirmed" as const;
  };
  return {
    start: async () => clear(),
    async acquire() {
      for (const address of haAddresses) kernel.add(address);
      return "confirmed";
    },
    release: gone,
    withdraw: gone,
    holds: async () => (haAddresses.every((address) => kernel.has(address)) ? "held" : "absent"),
    stop: async () => clear(),
    renew() {},
    drain() {},
    protections: () => [{ name: "kernel-lease", inForce: false, detail: "a set in memory has none" }],
    describe: () => "a set in memory",
  };
}

function suiteOf(name: string, change: Change = () => ({})): AddressSuite {
  const kernel: Kernel = new Set();
  return {
    name,
    haAddresses,
    takesAddresses: true,
    make() {
      const right = memoryBackend(kernel);
      return { ...right, ...change(right, kernel) };
    },
    present: () => haAddresses.filter((address) => kernel.has(address)),
    add: (address) => void kernel.add(address),
    remove: (address) => void kernel.delete(address),
  };
}

addressConformance(suiteOf("a set in memory"));

function refusesIn(name: string, wrong: string, why: RegExp, change: Change): void {
  refuses(wrong, why, () => workOf(addressTests(suiteOf(wrong, change)), name)());
}

const confirmed = async () => "confirmed" as const;
const never = () => new Promise<never>(() => {});
const differs = /Expected values to be (strictly|loosely) .*equal/;

const asOne = "all addresses come and go as one";
refusesIn(asOne, "says that it acquired and did nothing", differs, () => ({ acquire: confirmed }));
refusesIn(asOne, "says that it released and did nothing", differs, () => ({ release: confirmed }));
refusesIn(asOne, "takes one of two", differs, (_, kernel) => ({
  async acquire() {
    kernel.add(haAddresses[0]);
    return "confirmed";
  },
}));
refusesIn(asOne, "confirms before the address is gone", differs, (right) => ({
  async release() {
    setTimeout(() => void right.release(), 5);
    return "confirmed";
  },
}));

const strangers = "what a stranger takes or adds is seen when it is asked";
refusesIn(strangers, "answers from memory", /was taken off this machine/, (right) => {
  let held = false;
  return {
    acquire(epoch) {
      held = true;
      return right.acquire(epoch);
    },
    release() {
      held = false;
      return right.release();
    },
    holds: async () => (held ? "held" : "absent"),
  };
});
refusesIn(strangers, "takes one address for all", /the others alone are not all/, (_, kernel) => ({
  holds: async () => (haAddresses.some((address) => kernel.has(address)) ? "held" : "absent"),
}));
refusesIn(strangers, "releases only what it took itself", /whoever had put them there/, (right) => {
  let held = false;
  return {
    acquire(epoch) {
      held = true;
      return right.acquire(epoch);
    },
    async release() {
      if (held) await right.release();
      held = false;
      return "confirmed";
    },
  };
});

refusesIn("R6: start removes an address that a former run left behind", "starts with it", differs, () => ({
  start: async () => {},
}));
refusesIn("stop leaves nothing behind, also when it was not released", "stops with it", differs, () => ({
  stop: async () => {},
}));
const withdraw = "withdraw removes what an instance that never started finds, and may come twice";
refusesIn(withdraw, "withdraws nothing", differs, () => ({ withdraw: confirmed }));
refusesIn(withdraw, "can withdraw only when it was started", /not started/, (right) => {
  let started = false;
  return {
    start(reports) {
      started = true;
      return right.start(reports);
    },
    withdraw: async () => {
      if (!started) throw new Error("not started");
      return right.release();
    },
  };
});

refusesIn("stopped it reports nothing more", "reports after its stop", /calls nothing back/, (right) => {
  let reports: AddressReports | undefined;
  return {
    start(given) {
      reports = given;
      return right.start(given);
    },
    async stop() {
      await right.stop();
      setTimeout(() => reports?.carrierChanged("eth0", false), 5);
    },
  };
});

const quiet = "synchronous methods return at once and never throw, in every state";
refusesIn(quiet, "throws in renew", /no lease/, () => ({
  renew() {
    throw new Error("no lease");
  },
}));
refusesIn(quiet, "gives a promise in the place of nothing", /renew is synchronous/, () => ({
  renew: (async () => {}) as () => void,
}));
refusesIn(
  quiet,
  "blocks",
  /drain: \d+[\s\S]*each has to return within one|each has to return within one/,
  () => ({
    drain() {
      const endMs = performance.now() + 8;
      while (performance.now() < endMs);
    },
  }),
);
refusesIn(quiet, "never settles a release", /in vain for: release/, () => ({ release: never }));
refusesIn(
  "every protection says how it holds or why not",
  "has no protection to name",
  /names at least one: what is missing is said/,
  () => ({
    protections: () => [],
  }),
);
