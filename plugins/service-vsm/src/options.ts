/** What a person may write for the session broker's API: where it listens, who may ask, and which agents there are. */

import { isIP } from "node:net";
import { z } from "@understudy/core/public";

const agentName = z
  .string()
  .regex(/^[A-Za-z0-9]([A-Za-z0-9._-]{0,251}[A-Za-z0-9])?$/, "is no host name")
  .describe("Host name of an agent.");

const agent = z.union([
  agentName,
  z.strictObject({
    name: agentName,
    weight: z
      .number()
      .positive()
      .max(1000)
      .default(1)
      .describe("How many sessions it takes in proportion to the others. Default 1."),
  }),
]);

export const vsmOptions = z
  .strictObject({
    agents: z
      .array(agent)
      .default([])
      .transform((list) =>
        list.map((entry) => (typeof entry === "string" ? { name: entry, weight: 1 } : entry)),
      )
      .refine((list) => new Set(list.map(({ name }) => name)).size === list.length, {
        message: "names an agent twice",
      })
      .describe(
        "The machines that sessions run on: names, or { name, weight }. A new session goes where there are fewest per weight; of equals, to the one that stands first. Default: none, and then no session can be created.",
      ),
    port: z
      .int()
      .min(1)
      .max(65535)
      .default(8443)
      .describe("TCP port of the API on both nodes. Default 8443."),
    listen: z
      .string()
      .refine((text) => isIP(text) !== 0, { message: "is no IPv4 or IPv6 address" })
      .default("::")
      .describe(
        "Address to listen on: :: (both families), 0.0.0.0, or an address that this machine always has. Never the HA address, which is not there yet when the service starts. Default ::.",
      ),
    onlyAtHaAddress: z
      .boolean()
      .default(true)
      .describe(
        "Refuses requests for sessions that arrive at another address than an HA address: who asks a node's own address is left alone by the next takeover. Default true.",
      ),
    tls: z
      .union([
        z.enum(["generated", "none"]),
        z.strictObject({
          certificate: z.string().min(1).describe("PEM file: the certificate, and the chain after it."),
          key: z.string().min(1).describe("PEM file with its private key."),
        }),
      ])
      .default("generated")
      .describe(
        "generated: a self-signed certificate made at the first start and kept in the state folder. { certificate, key }: PEM files, read again within a minute when they change. none: plain HTTP. Default generated.",
      ),
    authentication: z
      .enum(["token", "none"])
      .default("token")
      .describe(
        "token: bearer tokens of `understudy token create`. none: everybody may do everything; only on loopback, or with allowEverybody. Default token.",
      ),
    allowEverybody: z
      .boolean()
      .default(false)
      .describe(
        "Says that authentication: none is meant although others than this machine can reach the API. Default false.",
      ),
    freezeWaitMs: z
      .int()
      .min(0)
      .max(1000)
      .default(100)
      .describe(
        "How long a request waits while writes are frozen for a handover, milliseconds. Default 100.",
      ),
    drainMs: z
      .int()
      .min(0)
      .max(1000)
      .default(250)
      .describe(
        "How long requests in flight may take to be answered when this node stops serving, milliseconds. Default 250.",
      ),
  })
  .superRefine((options, context) => {
    if (options.authentication !== "none" || options.allowEverybody || isLoopback(options.listen)) return;
    context.addIssue({
      code: "custom",
      path: ["authentication"],
      input: options.authentication,
      message: `none lets everybody who reaches ${options.listen} end everybody's sessions; if that is meant, say allowEverybody: true`,
    });
  })
  .describe("The session broker's HTTP API, served at the HA address.");

export type VsmOptions = z.infer<typeof vsmOptions>;
export type Agent = VsmOptions["agents"][number];

function isLoopback(address: string): boolean {
  return address === "::1" || address.startsWith("127.");
}
