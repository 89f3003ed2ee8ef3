/**
 * What others do to the machine: an administrator's hands on the HA addresses, a pulled cable, nftables that is not
 * there. Every one is noticed, said and mended as far as it can be.
 */

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, afterEach, before, test } from "node:test";
import { enterPrivateNetwork, makePrivateSegment } from "@understudy/core/conformance/private-network";
import { until } from "@understudy/core/conformance/until";
import { type Holder, type Message, processesOn, startAsker, startHolder } from "./holder-process.js";

enterPrivateNetwork(import.meta.url);

const v4 = { address: "10.98.0.100", family: 4, prefixLength: 24 } as const;
const v6 = { address: "fd00:98::100", family: 6, prefixLength: 64 } as const;

const segment = makePrivateSegment({
  us: ["10.98.0.2/24", "fd00:98::2/64"],
  client: ["10.98.0.9/24", "fd00:98::9/64"],
});
let client: Holder;
let holders: Holder[] = [];

before(async () => {
  client = await startAsker(segment, "client");
});
after(() => client.signal("SIGKILL"));
afterEach(async () => {
  for (const holder of holders) {
    holder.signal("SIGKILL");
    await holder.ended;
  }
  await until("no process of a killed holder is left", () => processesOn("us") === "");
  holders = [];
  await until("no address is left", () => !onMachine(v4.address) && !onMachine(v6.address));
});

async function start(env = process.env, config = {}): Promise<Holder> {
  const setup = { haAddresses: [v4, v6], leaseMs: 2000, config };
  const holder = await startHolder(segment, "us", setup, env);
  holders.push(holder);
  await holder.ask("start");
  return holder;
}

async function holding(env = process.env): Promise<Holder> {
  const holder = await start(env);
  assert.equal(await holder.ask("acquire"), "confirmed", holder.said());
  return holder;
}

const onMachine = (address: string) => segment.run("us", "ip", "-o", "addr").includes(` ${address}/`);
const answers = async (address: string) => (await client.ask(`ask ${address}`)) === true;
const allAnswer = async () => (await answers(v4.address)) && (await answers(v6.address));
const noneAnswers = async () => !(await answers(v4.address)) && !(await answers(v6.address));
const reports = (name: string, address: string) => (message: Message) =>
  message.report === name && message.address === address;

/** A PATH on which everything is found but nft. */
function withoutNft(): { readonly env: NodeJS.ProcessEnv; remove(): void } {
  const folder = mkdtempSync(join(tmpdir(), "understudy-path-"));
  for (const tool of ["ip", "sh", "cat", "ps"]) {
    const found = segment.run("us", "sh", "-c", `command -v ${tool}`).trim();
    symlinkSync(found, join(folder, tool));
  }
  return { env: { ...process.env, PATH: folder }, remove: () => rmSync(folder, { recursive: true }) };
}

interface Shown {
  readonly name: string;
  readonly inForce: boolean;
  readonly detail: string;
}
const protections = async (holder: Holder): Promise<ReadonlyMap<string, Shown>> =>
  new Map(((await holder.ask("protections")) as Shown[]).map((one) => [one.name, one]));

for (const { address, prefixLength, taken } of [
  { ...v4, taken: 32 },
  { ...v6, taken: 64 },
]) {
  test(`R7: ${address}, removed by somebody else, is put back and reported`, async () => {
    const holder = await holding();
    let reported = false;
    const report = holder.heard("a report", reports("addressRemoved", address)).then(() => {
      reported = true;
    });
    // `ip monitor` does not say when it listens: what is removed before that is put back without a word, so once more.
    await until("it is reported", () => {
      if (!reported && onMachine(address))
        segment.run("us", "ip", "addr", "del", `${address}/${taken}`, "dev", "eth0");
      return reported;
    });
    await report;
    await until("it is back", () => onMachine(address));
    await until("both answer", allAnswer);
    assert.equal(await holder.ask("holds"), "held");
  });

  test(`R1: ${address}, added by somebody else while absent, is removed and reported`, async () => {
    const holder = await start();
    segment.run("us", "ip", "addr", "add", `${address}/${prefixLength}`, "dev", "eth0");
    await holder.heard("a report", reports("addressAdded", address));
    await until("it is gone", () => !onMachine(address));
  });
}

test("an address added with another prefix length or on another interface is found and removed too", async () => {
  const holder = await start();
  segment.run("us", "ip", "addr", "add", `${v4.address}/32`, "dev", "lo");
  await holder.heard("a report", reports("addressAdded", v4.address));
  await until("it is gone", () => !onMachine(v4.address));
  assert.equal(await holder.ask("acquire"), "confirmed");
  segment.run("us", "ip", "addr", "add", `${v4.address}/32`, "dev", "lo");
  await holder.heard("a report", reports("addressAdded", v4.address));
  await until(
    "only ours is left",
    () => !segment.run("us", "ip", "-o", "addr", "show", "dev", "lo").includes(v4.address),
  );
  assert.equal(await holder.ask("holds"), "held");
});

test("R12: withdraw removes what a killed holder left, without anything started", async () => {
  segment.run("us", "ip", "addr", "add", `${v4.address}/24`, "dev", "eth0");
  segment.run("us", "ip", "addr", "add", `${v6.address}/64`, "dev", "eth0", "nodad");
  const sibling = await startHolder(segment, "us", { haAddresses: [v4, v6], leaseMs: 250 });
  holders.push(sibling);
  assert.equal(await sibling.ask("withdraw"), "confirmed");
  assert.equal(onMachine(v4.address) || onMachine(v6.address), false);
});

test("R5: a lost carrier is reported, and so is its return", async () => {
  const holder = await holding();
  const carrier = (up: boolean) => (message: Message) =>
    message.report === "carrierChanged" && message.interfaceName === "eth0" && message.up === up;
  segment.plug("us", "out");
  await holder.heard("the loss", carrier(false));
  segment.plug("us", "in");
  await holder.heard("the return", carrier(true));
});

test("an interface that was taken away and made anew under its name can be used again", async () => {
  const holder = await holding();
  const ip = (...args: readonly string[]) => execFileSync("ip", args);
  // A card keeps its MAC; who would announce a new one is another plugin.
  const mac = /link\/ether (\S+)/.exec(segment.run("us", "ip", "link", "show", "eth0"))?.[1] ?? "";
  segment.run("us", "ip", "link", "del", "eth0");
  await holder.heard("the loss", ({ report }) => report === "addressRemoved" || report === "carrierChanged");
  ip("link", "add", "p-us", "type", "veth", "peer", "name", "eth0", "netns", "us");
  ip("link", "set", "p-us", "master", segment.bridge, "up");
  ip("-n", "us", "link", "set", "eth0", "address", mac, "up");
  ip("-n", "us", "addr", "add", "10.98.0.2/24", "dev", "eth0");
  ip("-n", "us", "addr", "add", "fd00:98::2/64", "dev", "eth0", "nodad");
  // The lease may lapse once more before everything is hooked again: that is told, and an acquire mends it.
  await until("it can be acquired and answers", async () => {
    return (await holder.ask("acquire")) === "confirmed" && (await allAnswer());
  });
  await until("the lease is in force", async () => {
    const lease = (await protections(holder)).get("kernel-lease");
    return lease?.inForce === true && lease.detail.includes("eth0");
  });
  holder.signal("SIGSTOP");
  await until("a stopped holder is silent", noneAnswers);
  holder.signal("SIGCONT");
  assert.equal(await holder.ask("release"), "confirmed");
  assert.ok(onMachine("10.98.0.2"), "the node's own address, which came after it, stays");
});

test("R4: without nft the address is taken all the same, and status says what carries it", async () => {
  // No program without nft could remove what a killed one with nft left.
  segment.run("us", "nft", "flush", "ruleset");
  const without = withoutNft();
  try {
    const holder = await holding(without.env);
    await until("both answer", allAnswer);
    const shown = await protections(holder);
    assert.equal(shown.get("kernel-lease")?.inForce, false);
    assert.match(shown.get("kernel-lease")?.detail ?? "", /nft/);
    assert.equal(shown.get("claim-frame")?.inForce, false);
    assert.equal(shown.get("pipe-guard")?.inForce, true);
    assert.equal(shown.get("valid-lifetime")?.inForce, true);
    holder.signal("SIGSTOP");
    await until("the lifetime removes the addresses", () => !onMachine(v4.address) && !onMachine(v6.address));
    holder.signal("SIGCONT");
    await holder.heard("it knows and adds them no more", ({ report }) => report === "leaseLapsed");
    assert.equal(await noneAnswers(), true);
    assert.equal(await holder.ask("acquire"), "confirmed");
    await until("a new acquire makes them answer", allAnswer);
    await holder.ask("drop");
    await until("a dropped lease is a removed address", noneAnswers);
    assert.equal(await holder.ask("acquire"), "confirmed");
    holder.signal("SIGKILL");
    await holder.ended;
    await until("the guard removes them", () => !onMachine(v4.address) && !onMachine(v6.address));
  } finally {
    without.remove();
  }
});

test("a run without the kernel lease is not silenced by the table that a killed run with it left", async () => {
  const killed = await holding();
  killed.signal("SIGKILL");
  await killed.ended;
  assert.match(segment.run("us", "nft", "list", "tables"), /understudy_/);
  const holder = await start(process.env, { kernelLease: false });
  assert.equal(await holder.ask("acquire"), "confirmed");
  await until("both answer", allAnswer);
  assert.match((await protections(holder)).get("kernel-lease")?.detail ?? "", /turned off/);
});

test("a co-process that somebody kills is replaced, and what it was told last is not lost", async () => {
  const holder = await holding();
  for (const tool of ["ip -o -force", "nft -i", "ip -o monitor"]) {
    const pid = segment
      .run("us", "ps", "-e", "-o", "pid=,args=")
      .split("\n")
      .map((line) => /^\s*(\d+)\s+(.*)$/.exec(line))
      .find((match) => match?.[2]?.startsWith(tool))?.[1];
    assert.ok(pid, `${tool} is running`);
    process.kill(Number(pid), "SIGKILL");
  }
  await until("it can be released", async () => (await holder.ask("release")) === "confirmed");
  await until("and acquired", async () => (await holder.ask("acquire")) === "confirmed");
  await until("both answer", allAnswer);
  // Until the new monitor listens, a removal may be mended before it is noticed.
  await until("a removal is reported again", () => {
    segment.succeeds("us", "ip", "addr", "del", `${v4.address}/32`, "dev", "eth0");
    return holder.said().includes('"addressRemoved"');
  });
});

test("a wrong config of the machine is refused at start, by what is there", async () => {
  const foreign = { address: "192.0.2.7", family: 4, prefixLength: 24 };
  const holder = await startHolder(segment, "us", { haAddresses: [foreign], leaseMs: 250 });
  holders.push(holder);
  await assert.rejects(holder.ask("start"), /no interface has a network that contains 192\.0\.2\.7.*eth0/);
});
