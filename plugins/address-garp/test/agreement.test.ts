/** Who counts as agreeing that the addresses are here, as neighbours come, go, stay silent and are too many. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { inWords, makeAgreement, together } from "../src/agreement.js";
import { addressKey, ipBytes } from "../src/bytes.js";

const key = (address: string) => addressKey(ipBytes(address));
const ha4 = key("10.0.0.4");
const ha6 = key("fd00::4");
const gateway = key("10.0.0.1");
const printer = key("10.0.0.7");

function agreement() {
  return makeAgreement(["10.0.0.4", "fd00::4"], 60_000);
}

test("while nobody is heard nothing is known", () => {
  const one = agreement();
  assert.equal(one.judge(0).agreement, "unknown");
  assert.equal(inWords(one.judge(0)), "no neighbour is heard");
});

test("all that are heard must have answered to the HA address of their family", () => {
  const one = agreement();
  one.doubt(0);
  one.heard(gateway, true, 10);
  one.heard(printer, false, 10);
  one.heard(key("fe80::1"), true, 10);
  one.heard(ha4, false, 10);
  assert.deepEqual(one.toAsk(ha4, 20).map(addressKey), [gateway, printer]);
  assert.deepEqual(one.toAsk(ha6, 20).map(addressKey), [key("fe80::1")]);
  assert.deepEqual(one.toAsk(ha4, 30), [], "not again at once");
  one.answered(ha4, gateway, 21);
  one.answered(ha6, key("fe80::1"), 21);
  one.answered(ha6, printer, 21);
  one.answered(ha4, key("10.0.0.99"), 21);
  assert.equal(inWords(one.judge(30)), "2 of 3 neighbours");
  assert.equal(one.judge(30).agreement, "disagreed");
  one.answered(ha4, printer, 31);
  assert.equal(one.judge(40).agreement, "agreed");
});

test("each HA address of a family is asked about by itself", () => {
  const one = makeAgreement(["10.0.0.4", "10.0.0.5"], 60_000);
  one.heard(gateway, true, 0);
  one.answered(ha4, gateway, 1);
  assert.equal(one.judge(2).agreement, "disagreed");
  one.answered(key("10.0.0.5"), gateway, 3);
  assert.equal(one.judge(4).agreement, "agreed");
});

test("whoever agreed is asked anew after a doubt, and when its answer is older than a refresh", () => {
  const one = agreement();
  one.heard(gateway, true, 0);
  one.answered(ha4, gateway, 1);
  one.doubt(100);
  assert.equal(one.judge(101).agreement, "disagreed");
  assert.equal(one.toAsk(ha4, 101).length, 1);
  one.answered(ha4, gateway, 102);
  for (let atMs = 200; atMs < 65_000; atMs += 1000) {
    one.heard(gateway, true, atMs);
    assert.equal(one.judge(atMs).agreement, "agreed");
  }
  assert.equal(one.judge(65_102).agreement, "disagreed");
});

test("a machine that has gone does not keep the others from agreeing", () => {
  const one = agreement();
  one.heard(printer, false, 0);
  one.heard(gateway, true, 20_000);
  one.answered(ha4, gateway, 20_001);
  assert.equal(one.judge(29_999).agreement, "disagreed");
  assert.equal(one.judge(30_000).agreement, "agreed");
  assert.equal(one.judge(50_000).agreement, "unknown");
});

/** Asked every second for so many, and heard all the while. */
function askedInVain(answering: readonly string[], seconds: number) {
  const one = agreement();
  for (let atMs = 0; atMs < seconds * 1000; atMs += 1000) {
    for (const each of [gateway, printer]) one.heard(each, false, atMs);
    one.toAsk(ha4, atMs);
    for (const each of answering) one.answered(ha4, each, atMs);
  }
  return one.judge(seconds * 1000);
}

test("one that never answers is left out after half a minute, and named", () => {
  assert.equal(askedInVain([gateway], 29).agreement, "disagreed");
  const verdict = askedInVain([gateway], 31);
  assert.equal(verdict.agreement, "agreed");
  assert.equal(inWords(verdict), "1 of 1 neighbour, 1 never answer");
});

test("where nobody answers at all nobody is left out: it is we who are not reached", () => {
  assert.equal(inWords(askedInVain([], 600)), "0 of 2 neighbours");
});

test("of many neighbours eight are asked, gateways and the peer always among them", () => {
  const one = agreement();
  for (let each = 10; each < 60; each += 1) one.heard(key(`10.0.0.${each}`), false, 0);
  one.heard(gateway, true, 1);
  const asked = one.toAsk(ha4, 2).map(addressKey);
  assert.equal(asked.length, 8);
  assert.ok(asked.includes(gateway));
});

test("several segments agree when each does", () => {
  const one = { agreement: "agreed", agreed: 2, of: 2, silent: 0 } as const;
  const other = { agreement: "disagreed", agreed: 0, of: 1, silent: 1 } as const;
  assert.equal(together([one, other]).agreement, "disagreed");
  assert.equal(inWords(together([one, other])), "2 of 3 neighbours, 1 never answer");
  assert.equal(together([]).agreement, "unknown");
});
