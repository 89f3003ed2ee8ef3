/**
 * What moves with the addresses, asked of the kernel: routes, rules, label and source come and go with them, also when
 * the process is killed; what others made stays as it was.
 */

import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";
import { enterPrivateNetwork, makePrivateSegment } from "@understudy/core/conformance/private-network";
import { until } from "@understudy/core/conformance/until";
import { type Holder, processesOn, startHolder } from "./holder-process.js";

enterPrivateNetwork(import.meta.url);

const v4 = { address: "10.98.0.100", family: 4, prefixLength: 24 } as const;
const v6 = { address: "fd00:98::100", family: 6, prefixLength: 64 } as const;
const segment = makePrivateSegment({ us: ["10.98.0.2/24", "fd00:98::2/64"] });
const ip = (...args: readonly string[]) => segment.run("us", "ip", ...args);
let holders: Holder[] = [];

const config = {
  label: "ha",
  preferredSource: true,
  routes: [
    { to: "10.50.0.0/16", via: "10.98.0.1", table: 100, metric: 7, source: true },
    { to: "default", via: "10.98.0.9", table: 100 },
    { to: "fd00:50::/48", via: "fd00:98::9", source: v6.address },
  ],
  rules: [
    { from: true, table: 100 },
    { to: "10.60.0.0/16", table: 100, priority: 999 },
  ],
};

/** All that the kernel has by way of routes and rules, without what it makes itself. */
const everything = () =>
  [
    ["-4", "route", "show", "table", "all"],
    ["-6", "route", "show", "table", "all"],
    ["-4", "rule", "show"],
    ["-6", "rule", "show"],
  ]
    .map((args) => ip(...args).replace(/^.*proto kernel.*\n/gm, ""))
    .join("\n");
const sourceTo = (address: string) => / src (\S+)/.exec(ip("route", "get", address))?.[1];
const ours = () =>
  `${ip("-4", "route", "show", "table", "all", "proto", "85")}${ip("-6", "route", "show", "table", "all", "proto", "85")}`;
const ourRules = () =>
  `${ip("-4", "rule", "show")}${ip("-6", "rule", "show")}`.match(/^.*proto 85.*$/gm) ?? [];
let untouched = "";

before(() => {
  ip("route", "add", "default", "via", "10.98.0.1", "dev", "eth0");
  ip("-6", "route", "add", "default", "via", "fd00:98::1", "dev", "eth0");
  ip("route", "add", "10.70.0.0/16", "via", "10.98.0.1", "proto", "static");
  ip("rule", "add", "from", "10.60.0.0/16", "table", "100", "priority", "999", "protocol", "static");
  untouched = everything();
});
after(() => assert.equal(everything(), untouched, "nothing is left at the end"));
afterEach(async () => {
  for (const holder of holders) {
    holder.signal("SIGKILL");
    await holder.ended;
  }
  await until("no process of a killed holder is left", () => processesOn("us") === "");
  holders = [];
});

async function start(changes: object = {}): Promise<Holder> {
  const setup = { haAddresses: [v4, v6], leaseMs: 60_000, config: { ...config, ...changes } };
  const holder = await startHolder(segment, "us", setup);
  holders.push(holder);
  await holder.ask("start");
  return holder;
}

async function holding(changes: object = {}): Promise<Holder> {
  const holder = await start(changes);
  assert.equal(await holder.ask("acquire"), "confirmed", holder.said());
  return holder;
}

/** "confirmed" waits for routes and rules only a while, shorter than a busy machine may need. */
const allIsThere = () =>
  until("all is there", () => ours().trim().split("\n").length === 7 && ourRules().length === 3);

async function holdingAll(): Promise<Holder> {
  const holder = await holding();
  await allIsThere();
  return holder;
}

test("all come with the addresses and go with them, and the default route stays what it was", async () => {
  const holder = await start();
  assert.equal(everything(), untouched);
  for (const _ of ["once", "again"]) {
    assert.equal(await holder.ask("acquire"), "confirmed");
    await allIsThere();
    assert.match(ip("-4", "addr", "show", "dev", "eth0"), /inet 10\.98\.0\.100\/32 .* eth0:ha\b/);
    assert.equal(sourceTo("192.0.2.1"), v4.address);
    assert.equal(sourceTo("2001:db8::1"), v6.address);
    assert.equal(sourceTo("fd00:50::1"), v6.address);
    assert.equal(sourceTo("10.98.0.9"), "10.98.0.2", "the network itself is none of its business");
    assert.match(
      ip("route", "show", "table", "100"),
      /10\.50\.0\.0\/16 via 10\.98\.0\.1 dev eth0 proto 85 src 10\.98\.0\.100 metric 7/,
    );
    assert.match(ip("route", "get", "192.0.2.1", "from", v4.address), /via 10\.98\.0\.9 .*table 100/);
    assert.match(ip("route", "get", "10.60.0.1"), /via 10\.98\.0\.9 .*table 100/);
    assert.equal(ourRules().length, 3);
    await until("no trouble is said", async () =>
      /held; 3 routes and 3 rules$/.test(String(await holder.ask("describe"))),
    );
  }
  for (const _ of ["once", "again"]) {
    assert.equal(await holder.ask("release"), "confirmed");
    await until("all is as it was", () => everything() === untouched);
    assert.equal(sourceTo("192.0.2.1"), "10.98.0.2");
  }
});

test("R4: a killed process leaves none of them", async () => {
  const holder = await holding();
  assert.notEqual(everything(), untouched);
  holder.signal("SIGKILL");
  await holder.ended;
  await until("all is as it was", () => everything() === untouched);
});

test("what somebody removes comes back, and it is said", async () => {
  const holder = await holdingAll();
  const before = everything();
  for (const [args, message] of [
    [["route", "del", "10.50.0.0/16", "table", "100"], /route of ours/],
    [["-6", "route", "del", "8000::/1"], /route of ours/],
    [["rule", "del", "priority", "999", "protocol", "85"], /rule of ours/],
    [["-6", "rule", "del", "priority", "1000"], /rule of ours/],
  ] as const) {
    ip(...args);
    await holder.heard(`a word about ${args.join(" ")}`, ({ message: said }) => message.test(String(said)));
    await until(`${args.join(" ")} is undone`, () => everything() === before);
  }
  await holder.ask("release");
});

test("an address that somebody removes comes back with its routes", async () => {
  const holder = await holdingAll();
  const before = everything();
  ip("addr", "del", `${v4.address}/32`, "dev", "eth0");
  ip("addr", "del", `${v6.address}/64`, "dev", "eth0");
  await until("all is back", () => everything() === before && sourceTo("2001:db8::1") === v6.address);
  assert.equal(await holder.ask("holds"), "held");
  await holder.ask("release");
});

test("an interface that was down gets its routes again", async () => {
  const holder = await holdingAll();
  const before = ip("-4", "route", "show", "table", "all", "proto", "85");
  ip("link", "set", "eth0", "down");
  assert.equal(ip("-4", "route", "show", "table", "all", "proto", "85"), "");
  ip("link", "set", "eth0", "up");
  ip("route", "replace", "default", "via", "10.98.0.1", "dev", "eth0");
  ip("route", "replace", "10.70.0.0/16", "via", "10.98.0.1", "proto", "static");
  await until(
    "the routes are back",
    () => ip("-4", "route", "show", "table", "all", "proto", "85") === before,
  );
  await holder.ask("release");
  for (const address of ["fd00:98::2/64"]) ip("addr", "replace", address, "dev", "eth0", "nodad");
  ip("-6", "route", "replace", "default", "via", "fd00:98::1", "dev", "eth0");
  await until("the machine is as before", () => everything() === untouched);
});

test("the source follows when the default gateway changes", async () => {
  const holder = await holding();
  ip("route", "replace", "default", "via", "10.98.0.77", "dev", "eth0");
  await until("it goes by the new one", () =>
    /via 10\.98\.0\.77 .*src 10\.98\.0\.100/.test(ip("route", "get", "192.0.2.1")),
  );
  ip("route", "del", "default");
  await until("it says that there is none", async () =>
    /no source: no default route on eth0/.test(String(await holder.ask("describe"))),
  );
  await until("its routes are gone", () => !/^128\./m.test(ours()));
  ip("route", "add", "default", "via", "10.98.0.1", "dev", "eth0");
  await until("it goes by the old one", () => sourceTo("192.0.2.1") === v4.address);
  await holder.ask("release");
});

test("another's route in the same place is left alone, said, and keeps nobody from serving", async () => {
  ip("route", "add", "10.50.0.0/16", "via", "10.98.0.66", "table", "100", "metric", "7", "proto", "static");
  const holder = await holding();
  await until("it says so", async () =>
    /10\.50\.0\.0\/16 .*: another route has its place/.test(String(await holder.ask("describe"))),
  );
  assert.match(ip("route", "show", "table", "100"), /10\.50\.0\.0\/16 via 10\.98\.0\.66/);
  await holder.ask("release");
  assert.match(ip("route", "show", "table", "100"), /10\.50\.0\.0\/16 via 10\.98\.0\.66/);
  ip("route", "del", "10.50.0.0/16", "table", "100");
});

test("a route that the kernel refuses is said, and set as soon as it can be", async () => {
  const far = { to: "10.80.0.0/16", via: "10.97.0.1" };
  const holder = await holding({ routes: [far] });
  await until("it is said", async () =>
    /10\.80\.0\.0\/16 .*: .*(invalid gateway|unreachable)/i.test(String(await holder.ask("describe"))),
  );
  ip("addr", "add", "10.97.0.2/24", "dev", "eth0");
  await until("it is there", () => ours().includes("10.80.0.0/16 via 10.97.0.1"));
  await until("no trouble is said", async () => !/10\.80/.test(String(await holder.ask("describe"))));
  await holder.ask("release");
  ip("addr", "del", "10.97.0.2/24", "dev", "eth0");
});

/** As a run leaves them whose guard was killed with it, the last two by an older config. */
function leaveBehind(): void {
  for (const [address, length] of [
    [v4.address, 32],
    [v6.address, 64],
  ])
    ip("addr", "add", `${address}/${length}`, "dev", "eth0", ...(length === 64 ? ["nodad"] : []));
  ip("route", "add", "10.50.0.0/16", "via", "10.98.0.1", "table", "100", "metric", "7", "proto", "85");
  ip("route", "add", "0.0.0.0/1", "via", "10.98.0.1", "proto", "85", "src", v4.address);
  ip("-6", "route", "add", "::/1", "via", "fd00:98::1", "dev", "eth0", "proto", "85", "src", v6.address);
  ip("rule", "add", "to", "10.60.0.0/16", "table", "100", "priority", "999", "protocol", "85");
  ip("-6", "rule", "add", "from", v6.address, "table", "100", "priority", "1000", "protocol", "85");
  ip("route", "add", "10.51.0.0/16", "via", "10.98.0.1", "table", "101", "proto", "85", "src", v4.address);
  ip("-6", "rule", "add", "to", v6.address, "table", "101", "priority", "1700", "protocol", "85");
}

test("R6: a start removes what a former run left behind", async () => {
  leaveBehind();
  await start();
  assert.equal(everything(), untouched);
});

test("R12: an instance that was never started removes all that its config names", async () => {
  leaveBehind();
  const setup = { haAddresses: [v4, v6], leaseMs: 2000, config };
  const holder = await startHolder(segment, "us", setup);
  holders.push(holder);
  assert.equal(await holder.ask("withdraw"), "confirmed");
  await until("all is as it was", () => everything() === untouched);
});
