/** What a person may write for a systemd unit as a service of the pair. */

import { z } from "@understudy/core/public";

export const systemdOptions = z
  .strictObject({
    unit: z
      .string()
      .regex(/^[A-Za-z0-9:_.\\@][A-Za-z0-9:_.\\@-]{0,254}$/, "is no name of a unit")
      .transform((name) => (/\.[a-z]+$/.test(name) ? name : `${name}.service`))
      .describe("The unit. Without a suffix .service is meant, as for systemctl."),
    mode: z
      .enum(["cold", "warm"])
      .default("cold")
      .describe("cold: runs only where the node is active. warm: runs on both nodes. Default cold."),
    reloadOnPromote: z
      .boolean()
      .default(false)
      .describe("Only warm: systemctl reload when this node has become active. Default false."),
    startTimeoutMs: z
      .int()
      .min(100)
      .max(28_000)
      .default(25_000)
      .describe(
        "Milliseconds until the unit must be active after its start, activating included. Default 25000.",
      ),
    stopTimeoutMs: z
      .int()
      .min(100)
      .max(1700)
      .default(1700)
      .describe(
        "Milliseconds until a stop has failed; systemd goes on stopping by the unit's own TimeoutStopSec. Default 1700.",
      ),
    adoptMs: z
      .int()
      .min(50)
      .max(60_000)
      .default(5000)
      .describe(
        "Milliseconds that a unit which runs already when the node starts is left alone, until this node is known to stand by. Default 5000.",
      ),
    restart: z
      .boolean()
      .default(true)
      .describe(
        "Starts the unit again, after 500 ms and ever more slowly up to 30 s, when it should run and systemd does not do so itself. Default true.",
      ),
    systemctl: z.string().min(1).default("systemctl").describe("The program. Default systemctl."),
  })
  .refine(({ mode, reloadOnPromote }) => mode === "warm" || !reloadOnPromote, {
    path: ["reloadOnPromote"],
    message: "only a warm unit is reloaded: a cold one has just been started",
  })
  .describe("Any systemd unit as a service of the pair.");

export type SystemdOptions = z.infer<typeof systemdOptions>;
