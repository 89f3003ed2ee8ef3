/** The suite for fences accepts one over a switch in memory that keeps the contract, and refuses what breaks it. */

import { setTimeout as pause } from "node:timers/promises";
import { type FenceSuite, fenceConformance, fenceTests, useFence } from "@understudy/core/conformance/fence";
import type { Fence, Fenced } from "@understudy/core/public";
import { refuses, workOf } from "./suite-kit.js";

interface Device {
  off: boolean;
  behaves: "well" | "refuses" | "hangs";
}

type Change = (right: Fence, device: Device) => Partial<Fence>;

const unknown: Fenced = { outcome: "unknown", detail: "nobody answered" };

function memoryFence(device: Device): Fence {
  const stopping = new AbortController();
  return {
    async start() {},
    async fence(signal) {
      const ended = AbortSignal.any([signal, stopping.signal]);
      if (ended.aborted) return unknown;
      if (device.behaves === "refuses") return { outcome: "refused", detail: "wrong password" };
      if (device.behaves === "hangs") {
        await new Promise((settle) => ended.addEventListener("abort", settle, { once: true }));
        return unknown;
      }
      device.off = true;
      return { outcome: "confirmed", detail: "the switch said so" };
    },
    async stop() {
      stopping.abort();
    },
    describe: () => "a switch in memory",
  };
}

function suiteOf(name: string, change: Change = () => ({})): FenceSuite {
  return {
    name,
    checks: false,
    async make() {
      const device: Device = { off: false, behaves: "well" };
      const right = memoryFence(device);
      return {
        fence: { ...right, ...change(right, device) },
        switchedOff: () => device.off,
        refuse() {
          device.behaves = "refuses";
        },
        hang() {
          device.behaves = "hangs";
        },
        heal() {
          device.behaves = "well";
        },
        dispose() {},
      };
    },
  };
}

fenceConformance(suiteOf("a switch in memory"));

function refusesIn(name: string, wrong: string, why: RegExp, change: Change): void {
  refuses(wrong, why, () => useFence(suiteOf(wrong, change), workOf(fenceTests, name)));
}

const sure: Fenced = { outcome: "confirmed", detail: "sure" };
const confirms = "it confirms when the other machine is off, and not before";
refusesIn(confirms, "confirms and does nothing", /it said confirmed/, () => ({ fence: async () => sure }));
refusesIn(confirms, "fires at its start", /nothing is switched off by a start/, (_, device) => ({
  async start() {
    device.off = true;
  },
}));
refusesIn(
  "what the device refuses is not confirmed",
  "confirms all the same",
  /not to be strictly|unequal/,
  (right) => ({
    fence: async (signal) => ({ ...(await right.fence(signal)), outcome: "confirmed" }),
  }),
);
const hangs = "a device that never answers confirms nothing, and an abort ends the wait";
refusesIn(hangs, "takes an abort for success", /not to be strictly|unequal/, (right) => ({
  async fence(signal) {
    await right.fence(signal);
    return signal.aborted ? sure : unknown;
  },
}));
refusesIn(hangs, "does not hear an abort", /in vain for: an (aborted )?attempt/, (right) => ({
  fence: () => right.fence(new AbortController().signal),
}));
refusesIn(
  "an attempt that is aborted before it begins switches nothing off",
  "fires although it was called off",
  /called off before it began/,
  (right) => ({
    async fence(signal) {
      const fired = await right.fence(new AbortController().signal);
      return signal.aborted ? unknown : fired;
    },
  }),
);
refusesIn(
  "starting and stopping switch nothing off",
  "fires at its stop",
  /true !== false|strictly equal/,
  (_, device) => ({
    async stop() {
      await pause(1);
      device.off = true;
    },
  }),
);
refusesIn("fired again at a machine that is off, it confirms again", "works once", /already/, (right) => {
  let used = false;
  return {
    async fence(signal) {
      if (used) return { outcome: "unknown", detail: "fired already" };
      used = true;
      return right.fence(signal);
    },
  };
});
refusesIn(confirms, "has a check that the suite was not told of", /it has a check/, () => ({
  check: async () => undefined,
}));
