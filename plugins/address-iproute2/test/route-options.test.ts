/** What a config may say of routes, rules and labels; and what a takeover with them asks of `ip`. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { recordingLog } from "@understudy/core/conformance/capabilities";
import type { PlacedAddress } from "../src/ip-commands.js";
import { labelFor } from "../src/label.js";
import { iproute2Options } from "../src/options.js";
import { parsePrefix } from "../src/prefix.js";
import { parseRouteLine } from "../src/route-commands.js";
import { planRoutes } from "../src/route-plan.js";
import { startRouting } from "../src/routing.js";

const placed: readonly PlacedAddress[] = [
  { address: "10.0.0.4", family: 4, prefixLength: 32, interfaceName: "eth0", routeExists: true },
  { address: "fd00::4", family: 6, prefixLength: 64, interfaceName: "eth0", routeExists: true },
];

for (const [what, options, where, message] of [
  ["a network with host bits", { routes: [{ to: "10.5.0.1/16" }] }, "routes.0.to", /written 10\.5\.0\.0\/16/],
  ["no network", { routes: [{ to: "everywhere" }] }, "routes.0.to", /no network/],
  ["a default of no family", { routes: [{ to: "default" }] }, "routes.0.to", /of no family/],
  ["two families", { routes: [{ to: "10.5.0.0/16", via: "fd00::1" }] }, "routes.0.to", /mixes/],
  [
    "a source of another family",
    { routes: [{ to: "fd05::/16", source: "10.0.0.4" }] },
    "routes.0.to",
    /mixes/,
  ],
  [
    "the kernel's own table",
    { routes: [{ to: "10.5.0.0/16", table: 255 }] },
    "routes.0.table",
    /kernel's own/,
  ],
  [
    "onlink without via",
    { routes: [{ to: "10.5.0.0/16", onlink: true }] },
    "routes.0.onlink",
    /without `via`/,
  ],
  [
    "one place twice",
    { routes: [{ to: "10.5.0.0/16" }, { to: "10.5.0.0/16", via: "10.0.0.1" }] },
    "routes.1.to",
    /before it/,
  ],
  ["a rule for everything", { rules: [{ table: 100 }] }, "rules.0", /all packets/],
  [
    "a rule of two families",
    { rules: [{ from: "10.0.0.0/8", to: "fd00::/8", table: 9 }] },
    "rules.0",
    /mixes/,
  ],
  ["a rule without a table", { rules: [{ from: true }] }, "rules.0.table", /./],
  [
    "a rule behind main",
    { rules: [{ from: true, table: 9, priority: 32_766 }] },
    "rules.0.priority",
    /32765/,
  ],
  ["no source", { preferredSource: "eth0" }, "preferredSource", /./],
  ["a long label", { label: "averylongwordha0" }, "label", /15 characters/],
  ["a label that grows too long", { label: "replicated", interface: "enp0s31f6" }, "label", /longer than/],
  ["a label of another interface", { label: "eth1:ha", interface: "eth0" }, "label", /begins with/],
] as const) {
  test(`${what} is refused, with its place`, () => {
    const result = iproute2Options.safeParse(options);
    const issues = result.error?.issues ?? [];
    assert.ok(
      issues.some((issue) => issue.path.join(".") === where && message.test(issue.message)),
      JSON.stringify(issues),
    );
  });
}

for (const [what, options, message] of [
  [
    "a source that is no HA address",
    { routes: [{ to: "10.5.0.0/16", source: "10.0.0.2" }] },
    /no HA address; there are: 10\.0\.0\.4, fd00::4/,
  ],
  ["a preferred source that is none", { preferredSource: "10.0.0.2" }, /`preferredSource` has the source/],
] as const) {
  test(`${what} is refused at the start`, () => {
    assert.throws(() => planRoutes(iproute2Options.parse(options), placed), message);
  });
}

test("an HA address of the family is needed where `true` stands for one", () => {
  const options = iproute2Options.parse({ routes: [{ to: "fd05::/16", source: true, interface: "eth0" }] });
  assert.throws(() => planRoutes(options, placed.slice(0, 1)), /wants an HA address of IPv6/);
});

test("a label fits the interface of each node", () => {
  assert.equal(labelFor("ha", "enp3s0"), "enp3s0:ha");
  assert.equal(labelFor("eth0:ha", "eth0"), "eth0:ha");
});

test("networks have one spelling", () => {
  const texts = [
    "10.5.0.0/16",
    "10.0.0.4",
    "::/0",
    "FD00:0:0::/48",
    "fd00::4",
    "0.0.0.0/0",
    "2001:db8:80::/41",
  ];
  assert.deepEqual(
    texts.map((text) => parsePrefix(text)?.text),
    ["10.5.0.0/16", "10.0.0.4/32", "::/0", "fd00::/48", "fd00::4/128", "0.0.0.0/0", "2001:db8:80::/41"],
  );
  for (const wrong of ["10.5.0.0/33", "10.5/16", "fd00::/129", "fe80::1%eth0", "10.0.0.0/8/8", "10.0.0.0/"])
    assert.equal(parsePrefix(wrong), undefined, wrong);
});

test("the listing of `ip` is read, whatever stands in it", () => {
  const read = (line: string) => parseRouteLine(line, new Map([["ha", 100]]));
  assert.deepEqual(read("default via 10.9.9.9 dev va table ha onlink linkdown "), {
    family: 4,
    to: "0.0.0.0/0",
    via: "10.9.9.9",
    interfaceName: "va",
    table: 100,
    metric: undefined,
    source: undefined,
  });
  assert.equal(read("default dev va metric 1024 pref medium")?.to, "::/0");
  assert.equal(read("10.5.0.1 dev va src 10.0.0.4 metric 5")?.to, "10.5.0.1/32");
  assert.equal(read("default proto static \\\tnexthop via 10.0.0.1 dev va weight 1"), undefined);
  assert.equal(read("blackhole 10.0.0.0/8"), undefined);
});

test("a takeover asks all of `ip` in one go, and asks for no list", async () => {
  const asked: string[] = [];
  const options = iproute2Options.parse({
    preferredSource: "10.0.0.4",
    routes: [{ to: "10.5.0.0/16", via: "10.0.0.1", source: true }],
    rules: [{ from: "10.0.0.4", table: 100 }],
  });
  const routing = startRouting({
    plan: planRoutes(options, placed),
    ask: async (command) => {
      asked.push(command);
      return command.includes("show default") ? ["default via 10.0.0.1 dev eth0 "] : [];
    },
    log: recordingLog(),
    mayRepair: () => true,
    onDeath: assert.fail,
  });
  await routing.start();
  asked.length = 0;
  const taken = routing.take();
  assert.deepEqual(asked, [
    "route add 10.5.0.0/16 via 10.0.0.1 dev eth0 table 254 src 10.0.0.4 proto 85",
    "route add 0.0.0.0/1 via 10.0.0.1 dev eth0 table 254 src 10.0.0.4 proto 85",
    "route add 128.0.0.0/1 via 10.0.0.1 dev eth0 table 254 src 10.0.0.4 proto 85",
    "rule add from 10.0.0.4/32 table 100 priority 1000 protocol 85",
  ]);
  await taken;
  assert.equal(asked.length, 4);
  const given = routing.giveUp();
  assert.equal(asked.length, 8);
  await given;
  routing.stop();
});

test("a route from an IPv6 address that the kernel does not know yet is there all the same when the takeover is done", async () => {
  const asked: string[] = [];
  const log = recordingLog();
  const routing = startRouting({
    plan: planRoutes(
      iproute2Options.parse({ routes: [{ to: "fd00:5::/48", via: "fd00::1", source: true }] }),
      placed,
    ),
    ask: async (command) => {
      asked.push(command);
      return asked.length < 3 ? ["Error: Invalid source address."] : [];
    },
    log,
    mayRepair: () => true,
    onDeath: assert.fail,
    // The takeover waits 200 ms at most, which a busy machine may need for the shortest pause.
    pauseMs: async () => {},
  });
  await routing.take();
  assert.equal(asked.length, 3);
  assert.equal(new Set(asked).size, 1);
  assert.equal(routing.describe(), "1 route");
  assert.deepEqual(log.lines, []);

  asked.length = 0;
  const taken = routing.take();
  const given = routing.giveUp();
  await Promise.all([taken, given]);
  assert.match(asked.at(-1) ?? "", /^route del/, "what is given up meanwhile is not tried again");
  routing.stop();
});
