/**
 * The promises of rules R1 to R5 on a real segment: who answers for the HA addresses when the process that holds them is
 * killed, stopped, resumed, claimed from, alone, or robbed of its rules. Each test waits for what must happen.
 */

import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";
import { enterPrivateNetwork, makePrivateSegment } from "@understudy/core/conformance/private-network";
import { type Holder, processesOn, startAsker, startHolder } from "./holder-process.js";

enterPrivateNetwork(import.meta.url);

const v4 = { address: "10.98.0.100", family: 4, prefixLength: 24 } as const;
const v6 = { address: "fd00:98::100", family: 6, prefixLength: 64 } as const;
const both = [v4.address, v6.address];
const token = "00112233445566778899aabbccddee77";
const beat = (tokenHex: string) => `${Buffer.from("USB1").toString("hex")}${"00".repeat(12)}${tokenHex}00`;

const segment = makePrivateSegment({
  us: ["10.98.0.2/24", "fd00:98::2/64"],
  peer: ["10.98.0.3/24", "fd00:98::3/64"],
  client: ["10.98.0.9/24", "fd00:98::9/64"],
});
let client: Holder;
let peer: Holder;
let holders: Holder[] = [];

before(async () => {
  client = await startAsker(segment, "client");
  peer = await startAsker(segment, "peer");
});
after(() => {
  for (const asker of [client, peer]) asker.signal("SIGKILL");
});
afterEach(async () => {
  for (const holder of holders) {
    holder.signal("SIGKILL");
    await holder.ended;
  }
  await until("no process of a killed holder is left", nothingRuns);
  holders = [];
  // The guards of killed holders work on; the next start must not meet them.
  await until("no address is left", () => !onMachine(v4.address) && !onMachine(v6.address));
});

/** Longer than the default lease: a busy test machine stalls, and a stalled holder falls silent by design. */
const leaseMs = 2000;
/** Longer than any test: whatever ended the right to answer, it was not this. */
const longLeaseMs = 600_000;

function nothingRuns(): boolean {
  return processesOn("us") === "";
}

async function holding(lease = leaseMs): Promise<Holder> {
  const holder = await startHolder(segment, "us", { haAddresses: [v4, v6], leaseMs: lease });
  holders.push(holder);
  await holder.ask("start");
  assert.equal(await holder.ask("acquire"), "confirmed", holder.said());
  return holder;
}

const onMachine = (address: string) => segment.run("us", "ip", "-o", "addr").includes(` ${address}/`);
/** Stops the holder and takes the lifetime off its addresses, so that it is not the lifetime that ends them. */
function stopForGood(holder: Holder): void {
  holder.signal("SIGSTOP");
  const forever = ["dev", "eth0", "valid_lft", "forever", "preferred_lft", "forever"];
  segment.run("us", "ip", "addr", "change", `${v4.address}/32`, ...forever);
  segment.run("us", "ip", "addr", "change", `${v6.address}/64`, ...forever, "nodad");
}

const answers = async (address: string) => (await client.ask(`ask ${address}`)) === true;
const allAnswer = async () => (await Promise.all(both.map(answers))).every(Boolean);
const noneAnswers = async () => !(await Promise.all(both.map(answers))).some(Boolean);

async function until(
  what: string,
  holds: () => boolean | Promise<boolean>,
  withinMs = 30_000,
): Promise<void> {
  const endMs = performance.now() + withinMs;
  while (!(await holds())) {
    if (performance.now() > endMs)
      throw new Error(`not within ${withinMs} ms: ${what}\n${holders.map((one) => one.said()).join("\n")}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

async function protection(holder: Holder, name: string): Promise<{ inForce: boolean; detail: string }> {
  const all = (await holder.ask("protections")) as { name: string; inForce: boolean; detail: string }[];
  const found = all.find((one) => one.name === name);
  assert.ok(found, `there is a protection ${name}`);
  return found;
}

test("the addresses answer once acquired, and are silent and gone once released", async () => {
  const holder = await holding();
  await until("both answer", allAnswer);
  assert.equal(await holder.ask("release"), "confirmed");
  assert.equal(onMachine(v4.address) || onMachine(v6.address), false);
  assert.equal(await noneAnswers(), true);
  const claims = await protection(holder, "claim-frame");
  assert.deepEqual([claims.inForce, /armed with the lease/.test(claims.detail)], [true, true], claims.detail);
});

test("R4: when the holder is killed the guard removes the addresses", async () => {
  const holder = await holding(longLeaseMs);
  await until("both answer", allAnswer);
  stopForGood(holder);
  holder.signal("SIGKILL");
  await holder.ended;
  await until("the addresses are gone", () => !onMachine(v4.address) && !onMachine(v6.address));
  assert.equal(await noneAnswers(), true);
});

test("R6: the guard of a killed run that is late takes nothing from the next one", async () => {
  const killed = await holding(longLeaseMs);
  const guards = segment
    .run("us", "ps", "-e", "-o", "pid=,pgid=,args=")
    .split("\n")
    .map((line) => /^\s*\d+\s+(\d+)\s.*understudy-guard/.exec(line)?.[1])
    .flatMap((group) => (group === undefined ? [] : [Number(group)]));
  const [group] = guards;
  assert.ok(group !== undefined && guards.every((one) => one === group), "there is one guard");
  process.kill(-group, "SIGSTOP");
  killed.signal("SIGKILL");
  await killed.ended;
  const next = await holding(longLeaseMs);
  try {
    process.kill(-group, "SIGCONT");
  } catch (error) {
    assert.equal((error as NodeJS.ErrnoException).code, "ESRCH");
  }
  await until(
    "nothing is left of it",
    () => !new RegExp(`understudy-guard [0-9a-f]+/${killed.pid}\\b`).test(processesOn("us")),
  );
  assert.equal(await next.ask("holds"), "held");
  await until("both answer", allAnswer);
  assert.doesNotMatch(next.said(), /addressRemoved|leaseLapsed/);
});

test("R4: the guard and the co-processes outlive the signals that systemd sends to the whole unit", async () => {
  const holder = await holding();
  const children = segment
    .run("us", "ps", "-e", "-o", "pid=,ppid=,args=")
    .split("\n")
    .map((line) => /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(line))
    .filter((match) => Number(match?.[2]) === holder.pid)
    .map((match) => Number(match?.[1]));
  assert.ok(children.length >= 4, "there are the guard, two co-processes and the monitor");
  for (const pid of children)
    for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const) process.kill(-pid, signal);
  await until("both still answer", allAnswer);
  assert.equal(await holder.ask("release"), "confirmed");
  assert.equal((await protection(holder, "pipe-guard")).inForce, true);
});

test("R1: a stopped holder falls silent with its address still there, and stays silent when it goes on", async () => {
  const holder = await holding();
  await until("both answer", allAnswer);
  stopForGood(holder);
  await until("none answers", noneAnswers);
  assert.equal(onMachine(v4.address) && onMachine(v6.address), true, "the lease was first, not the lifetime");
  holder.signal("SIGCONT");
  await holder.heard("it knows", ({ report }) => report === "leaseLapsed");
  assert.equal(await noneAnswers(), true, "the latch holds");
  assert.equal(await holder.ask("acquire"), "confirmed");
  await until("a new acquire makes them answer", allAnswer);
});

for (const from of ["10.98.0.2", "fd00:98::2"]) {
  test(`R5: a claim frame to ${from} ends the lease in the kernel while the holder is stopped`, async () => {
    const holder = await holding(longLeaseMs);
    await holder.ask(`arm ${token}`);
    await until("the token is armed", () =>
      segment.run("us", "nft", "list", "ruleset").includes(token.replace(/^0+/, "")),
    );
    stopForGood(holder);
    await peer.ask(`send ${from} ${beat("ff".repeat(16))}`);
    assert.equal(await allAnswer(), true, "another token ends nothing");
    await peer.ask(`send ${from} ${beat(token)}`);
    await until("none answers", noneAnswers);
    assert.equal(
      onMachine(v4.address) && onMachine(v6.address),
      true,
      "the claim was first, not the lifetime",
    );
    holder.signal("SIGCONT");
    await holder.heard("it knows", ({ report }) => report === "leaseLapsed");
    assert.equal(await noneAnswers(), true, "what a claim ended stays ended");
  });
}

test("R2: an active whose peer is dead keeps its lease", async () => {
  const holder = await holding();
  segment.plug("peer", "out");
  try {
    // The peer's neighbour entry fails within seconds; beats to it would never reach the hook.
    segment.succeeds("us", "ip", "neigh", "replace", "10.98.0.3", "dev", "eth0", "nud", "failed");
    const endMs = performance.now() + Number(process.env.UNDERSTUDY_ALONE_MS ?? 15_000);
    while (performance.now() < endMs) {
      assert.equal(await allAnswer(), true, holder.said());
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  } finally {
    segment.plug("peer", "in");
  }
});

test("R4: a flushed ruleset is noticed and restored while it is held", async () => {
  const holder = await holding();
  segment.run("us", "nft", "flush", "ruleset");
  await holder.heard(
    "restored",
    ({ report, detail }) => report === "protectionsChanged" && String(detail).includes("restored"),
  );
  assert.equal((await protection(holder, "kernel-lease")).inForce, true);
  await until("both answer", allAnswer);
  stopForGood(holder);
  await until("the restored lease silences a stopped holder", noneAnswers);
  assert.equal(onMachine(v4.address) && onMachine(v6.address), true);
});

test("R4: a ruleset that is flushed while nothing is held is restored too", async () => {
  const holder = await holding();
  await holder.ask("release");
  segment.run("us", "nft", "flush", "ruleset");
  await holder.heard(
    "restored",
    ({ report, detail }) => report === "protectionsChanged" && String(detail).includes("restored"),
  );
  segment.run("us", "nft", "flush", "ruleset");
  assert.equal(await holder.ask("acquire"), "confirmed");
  await until("an acquire right after a flush answers", allAnswer);
});

test("dropping the lease silences the addresses before they are removed", async () => {
  const holder = await holding(longLeaseMs);
  await until("both answer", allAnswer);
  await holder.ask("drop");
  await until("none answers", noneAnswers);
  assert.equal(await holder.ask("release"), "confirmed");
});

test("R1: an interface that appears later is covered", async () => {
  const holder = await holding();
  segment.run("us", "ip", "link", "add", "late0", "type", "veth", "peer", "name", "late1");
  segment.run("us", "ip", "link", "set", "late0", "up");
  await until("late0 is hooked", () =>
    segment.run("us", "nft", "list", "ruleset").includes('device "late0"'),
  );
  segment.run("us", "ip", "link", "del", "late0");
  await until(
    "it is forgotten",
    async () => !(await protection(holder, "kernel-lease")).detail.includes("late0"),
  );
  assert.equal((await protection(holder, "kernel-lease")).inForce, true);
  assert.equal(await allAnswer(), true);
});
