/**
 * Our own pair as a contender of the takeover benchmark. Only the times that people would wait for between two faults
 * are cut short, and none that decides how fast a takeover is.
 */

import { type PairNode, sides, startPair } from "../lab/pair.js";
import type { Contender, MachineName } from "./contender.js";

/** What differs from the defaults, said with the figures. */
export const shortened =
  "failback hold 1 s instead of 10 s, reclaim hold 1 s instead of 10 s, never manual by losses";

export function understudy(name: string, config: Readonly<Record<string, unknown>>): Contender {
  return {
    name,
    start: async (segment) => {
      const pair = await startPair({ segment, config });
      const which = { deciding: "pulse", serving: "node", all: "both" } as const;
      const both = sides.map((side) => pair.node(side));
      const cli = async (node: PairNode, ...args: readonly string[]) => {
        const { code, out, err } = await node.cli(...args);
        if (code !== 0) throw new Error(`understudy ${args.join(" ")} failed: ${out}${err}`);
      };
      const serving = async (): Promise<MachineName> => {
        for (const node of both) if ((await node.status())?.pulse?.role === "active") return node.side;
        throw new Error("nobody serves");
      };
      return {
        serving,
        signal: (machine, what, signal) => pair.node(machine).signal(signal, which[what]),
        switchover: () => cli(pair.node("primary"), "switchover", "--to", "secondary"),
        failback: () => cli(pair.node("secondary"), "switchover", "--clear"),
        heal: async () => {
          for (const node of both) {
            segment.mend(node.side);
            node.signal("SIGCONT");
            await node.start();
          }
          await pair.waitFor(async () => (await both[0]?.status()) !== undefined, "the primary answers");
          const preference = (await both[0]?.status())?.pulse?.preference ?? "";
          if (preference.includes("operator")) await cli(pair.node("primary"), "switchover", "--clear");
          await pair.settled("primary", 60_000);
        },
        processes: (machine) => {
          const node = pair.node(machine);
          return { pulse: node.pid("pulse") ?? 0, node: node.pid("node") ?? 0 };
        },
        stop: () => pair.close(),
      };
    },
  };
}
