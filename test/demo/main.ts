/**
 * The main job before the reader's eyes: a real pair and a client on this machine, one fault after the other, and what
 * the client noticed of each. Everything runs in network namespaces of its own and is gone at the end.
 */

import { type Client, startClient } from "../lab/client.js";
import { bothAnsweringMs, outage } from "../lab/outage.js";
import { monotonicMs } from "../lab/packet-socket.js";
import { type Pair, pairHaAddress, type Side, sides, startPair } from "../lab/pair.js";
import { startProbe } from "../lab/probe.js";
import { enterPrivateNetwork } from "./private-network.js";
import { makeStage, type Stage, textTable } from "./stage.js";
import { startWorkload, type Workload, type WorkloadCounts } from "./workload.js";

const base = `http://${pairHaAddress}:8080`;

interface Act {
  readonly name: string;
  readonly says: string;
  readonly perform: (pair: Pair) => Promise<void>;
  readonly servesAfter: Side;
}

const acts: readonly Act[] = [
  {
    name: "active loses power",
    says: "The primary loses power: off the wire, all its processes gone, no goodbye.",
    perform: (pair) => pair.losePower("primary"),
    servesAfter: "secondary",
  },
  {
    name: "it returns and takes back",
    says: "Power is back: the primary catches up with the sessions it missed, then takes over again.",
    perform: (pair) => pair.returnPower("primary"),
    servesAfter: "primary",
  },
  {
    name: "pulse killed on the active",
    says: "kill -9 of the deciding process: the guard takes the address away, the standby claims it.",
    perform: async (pair) => pair.node("primary").signal("SIGKILL", "pulse"),
    servesAfter: "secondary",
  },
  {
    name: "pulse restarted, takes back",
    says: "A supervisor starts the process again; the primary takes over when it is in step.",
    perform: (pair) => pair.node("primary").start("pulse"),
    servesAfter: "primary",
  },
  {
    name: "planned switchover",
    says: "An operator says: understudy switchover",
    perform: async (pair) => {
      const { code, out, err } = await pair.node("primary").cli("switchover");
      if (code !== 0) throw new Error(`understudy switchover failed: ${out}${err}`);
    },
    servesAfter: "secondary",
  },
];

interface Row {
  readonly name: string;
  readonly cells: readonly string[];
}

function gap(value: { readonly gapMs: number } | undefined): string {
  return value === undefined ? "not back" : `${value.gapMs.toFixed(0)} ms`;
}

async function playAct(pair: Pair, load: Workload, stage: Stage, act: Act): Promise<Row> {
  stage.act(act.says);
  const before = load.counts();
  const probe = await startProbe(pair.segment, pairHaAddress, { httpPort: undefined });
  const fromMs = monotonicMs();
  await act.perform(pair);
  const moved = act.servesAfter === "secondary" ? pair.node("secondary") : pair.node("primary");
  await pair.waitFor(
    async () => (await moved.status())?.pulse?.role === "active",
    `the ${act.servesAfter} serves`,
    20_000,
  );
  stage.line(`the ${act.servesAfter} serves`);
  const settled = pair.node(act.servesAfter === "primary" ? "secondary" : "primary");
  if (act.servesAfter === "primary") {
    await pair.waitFor(
      async () => (await settled.status())?.pulse?.role === "standby",
      "the secondary stands by again",
    );
  }
  await new Promise((resolve) => setTimeout(resolve, 600));
  const seen = await probe.stop();
  const after = load.counts();
  const cells = [
    gap(outage(seen, "arp", fromMs)),
    gap(outage(seen, "icmp", fromMs)),
    `${bothAnsweringMs(seen, fromMs)} ms`,
    String(after.failed - before.failed),
    String(after.replicated - before.replicated),
    String(after.solo - before.solo),
  ];
  return { name: act.name, cells };
}

/** Role changes as they happen, and one line about now. */
function narrate(pair: Pair, load: () => WorkloadCounts, stage: Stage): () => void {
  const known = new Map<Side, string>();
  let looking = true;
  const look = async () => {
    while (looking) {
      const roles = await Promise.all(
        sides.map(async (side) => {
          const pulse = (await pair.node(side).status())?.pulse;
          const role = pulse?.role ?? "off";
          const was = known.get(side);
          known.set(side, role);
          if (was !== undefined && was !== role)
            stage.line(`${side}: ${was} -> ${role}${pulse === undefined ? "" : `: ${pulse.reason}`}`);
          return `${side} ${role}`;
        }),
      );
      const { requests, failed, replicated, solo } = load();
      stage.live(
        `${roles.join(", ")} | ${requests} requests, ${failed} failed | ${replicated + solo} sessions`,
      );
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  };
  void look();
  return () => {
    looking = false;
  };
}

async function play(pair: Pair, client: Client, stage: Stage): Promise<boolean> {
  const load = startWorkload(client, base);
  const silence = narrate(pair, load.counts, stage);
  const rows: Row[] = [];
  for (const act of acts) rows.push(await playAct(pair, load, stage, act));
  stage.act("Looking every acknowledged session up again, at the HA address");
  const { acknowledged, lost } = await load.finish();
  silence();
  const header = ["what happened", "ARP gap", "ping gap", "two answer", "failed", "replicated", "solo"];
  stage.line("done");
  console.log(
    `\n${textTable(
      header,
      rows.map(({ name, cells }) => [name, ...cells]),
    )}\n`,
  );
  console.log(`sessions acknowledged: ${acknowledged}; lost: ${lost.length}`);
  console.log(
    "gap: the longest time the client got no answer, asking every millisecond. failed: requests that failed at\n" +
      "the first try; each was tried again with the same key. replicated, solo: sessions that were acknowledged as\n" +
      "durable on both disks, or on the one that was there. For the demo failback waits 1 s instead of 10 s, and\n" +
      "everything shares this machine's cores: see test/bench for measurements.",
  );
  return lost.length === 0;
}

async function stay(pair: Pair): Promise<void> {
  const exec = (side: Side) =>
    `ip netns exec ${pair.segment.machine(side).namespace} node core/bin/understudy.js`;
  const option = (side: Side) => `--config ${pair.node(side).configFile} --node ${side}`;
  const inside =
    process.env.UNDERSTUDY_PRIVATE === undefined
      ? ""
      : `nsenter -U -m -n --preserve-credentials -t ${process.pid} `;
  console.log(`\nThe pair stays up until you press Ctrl-C. In another terminal, in this folder:\n`);
  console.log(`  ${inside}${exec("secondary")} status --watch ${option("secondary")}`);
  console.log(`  ${inside}${exec("primary")} switchover --clear ${option("primary")}`);
  console.log(`  ${inside}${exec("primary")} timeline ${option("primary")}`);
  console.log(`  kill -9 ${pair.node("secondary").pid("pulse")}     # pulse of the secondary`);
  console.log(
    `  ${inside}ip netns exec ${pair.segment.machine("client").namespace} curl ${base}/v1/sessions\n`,
  );
  await new Promise<void>((resolve) => {
    const timer = setInterval(() => {}, 60_000);
    process.once("SIGINT", () => {
      clearInterval(timer);
      resolve();
    });
  });
}

enterPrivateNetwork();
const stage = makeStage();
stage.line("starting two nodes and a client in network namespaces of their own");
const pair = await startPair({
  config: {
    services: [
      {
        plugin: "vsm",
        agents: ["agent1", "agent2"],
        port: 8080,
        tls: "none",
        authentication: "none",
        allowEverybody: true,
      },
    ],
  },
});
try {
  stage.line("the primary serves, the secondary stands by with its own copy of the sessions");
  const client = await startClient(pair.segment);
  const kept = await play(pair, client, stage);
  if (process.argv.includes("--stay")) await stay(pair);
  process.exitCode = kept ? 0 : 1;
} finally {
  await pair.close();
}
process.exit();
