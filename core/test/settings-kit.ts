/** Settings as the defaults of the config give them, for tests of what goes by them. */

import type { Settings } from "../src/failover/settings.js";

export const testSettings: Settings = {
  self: "secondary",
  paths: [{ name: "udp", class: "client", intervalMs: 20 }],
  intervalMs: 20,
  deadFloorMs: 100,
  deadCeilingMs: 400,
  leaseMs: 250,
  hangLimitMs: 1000,
  aloneAfterMs: 30_000,
  failback: { mode: "auto", holdMs: 10_000, maxHoldMs: 3_600_000, manualAfterLosses: 3, freezeMs: 50 },
  reclaimHoldMs: 10_000,
  foreignHoldMs: 30_000,
  askAfterMs: 2500,
  probeEveryMs: 4,
  configDigest: "00000000",
  arbiters: [],
  onArbiterLost: "stepDown",
  fences: [],
  fenceDelayMs: 30_000,
  canProbeAddress: true,
};
