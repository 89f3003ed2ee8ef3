/** What a person may write for the plugin: targets, in groups of which each must be reached, by any or by all of its own. */

import { z } from "@understudy/core/public";
import { parseTarget, type Target } from "./target.js";

const target = z.string().transform((text, context): Target => {
  const parsed = parseTarget(text);
  if (typeof parsed !== "string") return parsed;
  context.addIssue({ code: "custom", message: parsed });
  return z.NEVER;
});
const targets = z
  .array(target)
  .min(1, "must name at least one target")
  .max(16, "must name at most 16 targets");

const group = z.union([
  z.strictObject({ any: targets.describe("Reached when one of them answers.") }),
  z.strictObject({ all: targets.describe("Reached when every one of them answers.") }),
]);

export const pingOptions = z
  .strictObject({
    targets: targets
      .optional()
      .describe(
        "One group of which any must answer: IPv4 or IPv6 addresses for a ping, or address:port for a TCP connect, in " +
          "which a refusal is an answer too. No names: they need a name server when the network is broken.",
      ),
    groups: z
      .array(group)
      .min(1)
      .max(8)
      .optional()
      .describe(
        "Groups that must all be reached: { any: [...] } or { all: [...] }. Beside or instead of targets.",
      ),
    timeoutMs: z
      .int()
      .min(5)
      .max(2000)
      .default(20)
      .describe(
        "Milliseconds until a target that has not answered counts as out of reach. A takeover leaves some 70 for that, " +
          "and waits 20 more: a later denial is too late for it. Default 20.",
      ),
  })
  .refine(({ targets: some, groups }) => some !== undefined || groups !== undefined, {
    message: "targets or groups must be there",
  })
  .describe("Vetoes a claim of a node that does not reach its gateways.");

export type PingOptions = z.infer<typeof pingOptions>;

export interface Group {
  readonly need: "any" | "all";
  readonly targets: readonly Target[];
}

export function groupsOf(options: PingOptions): readonly Group[] {
  const written = (options.groups ?? []).map(
    (one): Group => ("any" in one ? { need: "any", targets: one.any } : { need: "all", targets: one.all }),
  );
  return [
    ...(options.targets === undefined ? [] : [{ need: "any", targets: options.targets } as const]),
    ...written,
  ];
}
