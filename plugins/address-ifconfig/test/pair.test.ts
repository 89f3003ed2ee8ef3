/**
 * A whole pair with this backend: real processes on a loopback of their own, each with a machine of the stand-in, and no
 * native addon. The address moves when pulse hangs, and nothing is left at the end.
 */

import assert from "node:assert/strict";
import { type ChildProcess, execFile, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { pathToFileURL } from "node:url";
import { enterPrivateNetwork } from "@understudy/core/conformance/private-network";
import { until } from "@understudy/core/conformance/until";
import { type Machine, makeMachine, standIn } from "./machine.js";

enterPrivateNetwork(import.meta.url);
for (const address of ["10.98.1.2/24", "10.98.1.3/24"])
  execFileSync("ip", ["addr", "add", address, "dev", "lo"]);

const program = join(import.meta.dirname, "../../../../core/bin/understudy.js");
const sunos = pathToFileURL(join(import.meta.dirname, "sunos.js")).href;
const haAddress = "10.98.1.100";
const folder = mkdtempSync(join(tmpdir(), "understudy-sunos-"));

interface Status {
  readonly pulse?: {
    readonly role: string;
    readonly protections: readonly {
      readonly name: string;
      readonly inForce: boolean;
      readonly detail: string;
    }[];
  };
}

interface Node {
  readonly machine: Machine;
  readonly process: ChildProcess;
  said(): string;
  pulse(): number;
  status(): Promise<Status | undefined>;
}

const nodes: Node[] = [];
after(async () => {
  for (const { process: child, pulse } of nodes) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    process.kill(pulse(), "SIGCONT");
    child.kill("SIGTERM");
    await once(child, "exit");
  }
  for (const { machine } of nodes) machine.remove();
  rmSync(folder, { recursive: true, force: true });
});

function startNode(name: string, ownAddress: string): Node {
  const own = join(folder, name);
  const config = join(folder, `${name}.yaml`);
  mkdirSync(own);
  execFileSync(process.execPath, [program, "--config", join(own, "unused.yaml"), ...initOptions]);
  writeFileSync(
    config,
    `cluster: sun
nodes: { one: 10.98.1.2, two: 10.98.1.3 }
haAddress: ${haAddress}/24
address: [ { plugin: ifconfig, command: ${standIn} } ]
sessions: none
failback: manual
aloneAfter: 2s
reclaimHold: 1s
keyFile: ${folder}/key
folders: { state: ${own}, run: ${own}/run }
`,
  );
  const machine = makeMachine([{ name: "net0", address: ownAddress }]);
  const env = { ...machine.env, NODE_OPTIONS: `--import=${sunos}` };
  const child = spawn(process.execPath, [program, "--config", config, "--node", name, "run"], {
    stdio: ["ignore", "ignore", "pipe"],
    env,
  });
  let said = "";
  child.stderr?.on("data", (chunk: Buffer) => {
    said += chunk;
  });
  const node: Node = {
    machine,
    process: child,
    said: () => said,
    pulse: () => Number(/pulse runs \(pid (\d+)\)/.exec(said)?.[1]),
    status: () => askStatus(config, name),
  };
  nodes.push(node);
  return node;
}

const initOptions = [
  ...["init", "--cluster", "sun", "--primary", "one=10.98.1.2", "--secondary", "two=10.98.1.3"],
  ...["--address", `${haAddress}/24`, "--key", join(folder, "key")],
];

function askStatus(config: string, name: string): Promise<Status | undefined> {
  return new Promise((resolve) => {
    const args = [program, "--config", config, "--node", name, "status", "--json"];
    execFile(process.execPath, args, (_, out) =>
      resolve(out === "" ? undefined : (JSON.parse(out) as Status)),
    );
  });
}

/** As `until`, and when it was in vain the nodes' own words say why. */
async function waitFor(what: string, holds: () => Promise<boolean>): Promise<void> {
  await until(what, holds, { withinMs: 60_000 }).catch(async (error: Error) => {
    const words = nodes.map((node) => node.said()).join("\n");
    const states = JSON.stringify(await Promise.all(nodes.map((node) => node.status())));
    throw new Error(`${error.message}\n${states}\n${words.slice(-5000)}`);
  });
}

const has = async (node: Node, role: string) => (await node.status())?.pulse?.role === role;
const holds = ({ machine }: Node) => machine.flagsOf(haAddress).includes("UP");

/** Without failback whoever served last goes on: on a busy machine the first one may have stalled for its lease. */
async function settled(both: readonly Node[]) {
  const found: { serving?: Node; waiting?: Node } = {};
  await waitFor("one serves and the other stands by", async () => {
    const states = await Promise.all(both.map((node) => node.status()));
    const inRole = (role: string) => both.find((_, at) => states[at]?.pulse?.role === role);
    Object.assign(found, { serving: inRole("active"), waiting: inRole("standby") });
    return found.serving !== undefined && found.waiting !== undefined;
  });
  const { serving, waiting } = found;
  assert.ok(serving !== undefined && waiting !== undefined);
  return { serving, waiting };
}

test("G2: without any native addon the address moves when pulse hangs, and goes at an orderly end", async () => {
  const both = [startNode("one", "10.98.1.2/24"), startNode("two", "10.98.1.3/24")];
  const { serving, waiting } = await settled(both);
  assert.equal(holds(serving), true);
  assert.equal(holds(waiting), false);

  const shown = new Map((await serving.status())?.pulse?.protections.map((given) => [given.name, given]));
  const inForce = [...shown.values()].map((given) => [given.name, given.inForce]);
  assert.deepEqual(inForce, [
    ["pipe-guard", true],
    ["silence-guard", true],
    ["kernel-lease", false],
    ["claim-frame", false],
    ["real-time", false],
  ]);
  assert.match(shown.get("real-time")?.detail ?? "", /sunos/);
  assert.doesNotMatch(`${serving.said()}${waiting.said()}`, /the native addon was asked for/);

  process.kill(serving.pulse(), "SIGSTOP");
  await waitFor("the other has taken over", async () => holds(waiting) && (await has(waiting, "active")));
  assert.equal(holds(serving), false, "it was withdrawn before");
  process.kill(serving.pulse(), "SIGCONT");
  await waitFor("it knows", () => has(serving, "standby"));
  assert.equal(holds(serving), false);

  for (const node of both) {
    node.process.kill("SIGTERM");
    const [code] = (await once(node.process, "exit")) as [number | null];
    assert.equal(code, 0, node.said());
  }
  for (const { machine } of both) assert.deepEqual(machine.present([haAddress]), []);
});
