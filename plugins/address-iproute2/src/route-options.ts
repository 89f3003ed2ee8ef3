/** What an owner may say about routes and rules that move with the HA addresses, and what cannot be meant. */

import { isIP } from "node:net";
import { z } from "@understudy/core/public";
import { parsePrefix } from "./prefix.js";

const address = z
  .string()
  .refine((text) => isIP(text) !== 0 && !text.includes("%"), { message: "is no IPv4 or IPv6 address" });

const network = z.string().superRefine((text, context) => {
  const found = parsePrefix(text);
  const message =
    found === undefined
      ? "is no network such as 10.5.0.0/16 and no address"
      : found.hasHostBits
        ? `is an address inside of its network, which is written ${found.text}`
        : undefined;
  if (message !== undefined) context.addIssue({ code: "custom", message });
});

const ours = z.literal(true);
const table = z
  .union([z.literal("main"), z.int().min(1).max(4_294_967_295)])
  .refine((value) => value !== 255, { message: "is the kernel's own table of local addresses" });

const route = z
  .strictObject({
    to: z
      .union([z.literal("default"), network])
      .describe("Where the route leads: a network such as 10.5.0.0/16, an address, or `default`."),
    via: address.optional().describe("The next hop. Without it the network is reached directly."),
    interface: z
      .string()
      .regex(/^[^\s/"':;]{1,15}$/, "an interface's name, such as eth0")
      .optional()
      .describe("The interface it leaves by. Default: the one of the HA address of its family."),
    onlink: z
      .boolean()
      .default(false)
      .describe(
        "Believe that `via` is on the interface although no network there contains it. Default: false.",
      ),
    table: table
      .default("main")
      .describe(
        "The routing table: a number from 1, or `main`. Others are used through `rules`. Default: main.",
      ),
    metric: z
      .int()
      .min(1)
      .max(4_294_967_295)
      .optional()
      .describe("The lower, the more preferred. Default: the kernel's, 0 for IPv4 and 1024 for IPv6."),
    source: z
      .union([ours, address])
      .optional()
      .describe(
        "The address that this machine's own connections along the route come from: `true` for the HA address of its family, or one of the HA addresses. Default: the kernel's choice, which is never an HA address.",
      ),
  })
  .superRefine((written, context) => {
    const families = [written.to, written.via, written.source].flatMap((one) =>
      typeof one === "string" && one !== "default" ? [familyOf(one)] : [],
    );
    const say = (message: string, at: string) => context.addIssue({ code: "custom", path: [at], message });
    if (families.length === 0) say("is of no family: name `via`, or write 0.0.0.0/0 or ::/0", "to");
    if (new Set(families.filter((family) => family !== 0)).size > 1)
      say("mixes IPv4 and IPv6 with `via` or `source`", "to");
    if (written.onlink && written.via === undefined) say("means nothing without `via`", "onlink");
  });

const rule = z
  .strictObject({
    from: z
      .union([ours, network])
      .optional()
      .describe("Packets from this network or address, `true` for the HA addresses."),
    to: z.union([ours, network]).optional().describe("Packets to this network or address, `true` likewise."),
    table: table.describe("The table that routes them: a number from 1, or `main`."),
    priority: z
      .int()
      .min(1)
      .max(32_765)
      .default(1000)
      .describe(
        "Its place among the rules, before those with higher numbers; `main` is asked at 32766. Default: 1000.",
      ),
  })
  .superRefine(({ from, to }, context) => {
    const message =
      from === undefined && to === undefined
        ? "says neither `from` nor `to`, and would take all packets of the machine"
        : typeof from === "string" && typeof to === "string" && familyOf(from) !== familyOf(to)
          ? "mixes IPv4 and IPv6"
          : from === true && to === true
            ? "from and to are both the HA addresses: packets within the machine need no rule"
            : undefined;
    if (message !== undefined) context.addIssue({ code: "custom", message });
  });

function familyOf(text: string): 0 | 4 | 6 {
  return parsePrefix(text)?.family ?? 0;
}

export const routingOptions = {
  preferredSource: z
    .union([z.boolean(), address])
    .optional()
    .describe(
      "While the HA address is held, this machine's own connections beyond the default gateway come from it: `true` for the first HA address of each family, or one of the HA addresses. Default: false.",
    ),
  routes: z
    .array(route)
    .default([])
    .superRefine((all, context) => {
      const seen = new Set<string>();
      for (const [at, one] of all.entries()) {
        const key = JSON.stringify([
          one.to,
          one.table,
          one.metric,
          one.to === "default" && familyOf(one.via ?? ""),
        ]);
        if (seen.has(key))
          context.addIssue({
            code: "custom",
            path: [at, "to"],
            message: "has the network, table and metric of a route before it",
          });
        seen.add(key);
      }
    })
    .describe("Routes that are there while this node holds the HA addresses."),
  rules: z
    .array(rule)
    .default([])
    .describe("Policy rules that are there while this node holds the HA addresses."),
};

export type WrittenRoute = z.infer<typeof route>;
export type WrittenRule = z.infer<typeof rule>;
