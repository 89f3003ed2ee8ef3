/**
 * What every service must show, as tests of node:test. The semantics are those of ClusterLabs' resource agents: start
 * twice and stop twice succeed, status asks the world, a timeout is a failure.
 */

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Service } from "../plugin/contract.js";
import { noteSuite } from "./suites-run.js";
import { until, within } from "./until.js";

export interface ServiceFixture {
  /** Not started. */
  readonly service: Service;
  /** Asks the world, not the plugin, whether it serves now as the active one does. */
  serves(): Promise<boolean>;
  /** Ends what serves behind the plugin's back; needed where the suite says `crashes`. */
  readonly crash?: () => void | Promise<void>;
  /** Called after `stop`. */
  dispose(): void | Promise<void>;
}

export interface ServiceSuite {
  readonly name: string;
  /** Whether a test can end what serves behind the plugin's back: a service inside the node process ends with it. */
  readonly crashes: boolean;
  make(): Promise<ServiceFixture>;
}

/** The deadline of the contract. The suite waits longer, so that a busy machine fails nobody by a few milliseconds. */
const demoteMs = 2000;
const slackMs = 2000;

type Work = (fixture: ServiceFixture) => Promise<void>;

const tests: readonly (readonly [string, Work])[] = [
  ["started is not serving; promoted is; demoted is no more", goesThroughItsLife],
  ["promote may be repeated, with the same epoch and with a newer one", promotesTwice],
  ["demote may be repeated, and may come before any promote", demotesTwice],
  ["after a demote it can be promoted again", comesBack],
  ["a demote that overtakes a promote wins", demoteWins],
  ["stop while promoted ends the service", stopEnds],
  ["stop without start settles", stopsUnstarted],
  ["what it says of itself is one line, in every state", oneLine],
];

export function serviceConformance(suite: ServiceSuite): void {
  noteSuite("service");
  describe(`${suite.name} is a service`, () => {
    const crashing: typeof tests = [
      ["health tells the truth when it has crashed, and it comes back", healthIsTrue],
    ];
    for (const [what, work] of [...tests, ...(suite.crashes ? crashing : [])]) {
      test(what, async () => {
        const fixture = await suite.make();
        try {
          await work(fixture);
        } finally {
          await within("stop", Promise.allSettled([fixture.service.stop()]));
          await fixture.dispose();
        }
      });
    }
  });
}

async function started({ service }: ServiceFixture): Promise<void> {
  await within("start", service.start());
}

async function demoted({ service, serves }: ServiceFixture): Promise<void> {
  await within("demote", service.demote(), demoteMs + slackMs);
  assert.equal(await serves(), false, "it serves no more when demote has settled");
}

async function promoted({ service, serves }: ServiceFixture, epoch: number): Promise<void> {
  await within("promote", service.promote(epoch));
  assert.equal(await serves(), true, "it serves when promote has settled");
}

async function goesThroughItsLife(fixture: ServiceFixture): Promise<void> {
  await started(fixture);
  assert.equal(await fixture.serves(), false, "a node that was not promoted does not serve");
  assert.notEqual(await fixture.service.health(), "failing");
  await promoted(fixture, 1);
  assert.equal(await fixture.service.health(), "healthy");
  await demoted(fixture);
  assert.notEqual(await fixture.service.health(), "failing", "a standby that may not serve is not failing");
}

async function promotesTwice(fixture: ServiceFixture): Promise<void> {
  await started(fixture);
  for (const epoch of [1, 1, 3]) await promoted(fixture, epoch);
  assert.equal(await fixture.service.health(), "healthy");
  await within("three at once", Promise.all([5, 5, 5].map((epoch) => fixture.service.promote(epoch))));
  assert.equal(await fixture.serves(), true);
}

async function demotesTwice(fixture: ServiceFixture): Promise<void> {
  await started(fixture);
  await demoted(fixture);
  await promoted(fixture, 1);
  await demoted(fixture);
  await demoted(fixture);
}

async function comesBack(fixture: ServiceFixture): Promise<void> {
  await started(fixture);
  for (const epoch of [1, 3, 5]) {
    await promoted(fixture, epoch);
    await demoted(fixture);
  }
}

async function demoteWins(fixture: ServiceFixture): Promise<void> {
  await started(fixture);
  const overtaken = Promise.allSettled([fixture.service.promote(1)]);
  await demoted(fixture);
  await within("the promote that was overtaken", overtaken);
  assert.equal(await fixture.serves(), false, "the later request holds");
  await promoted(fixture, 3);
}

async function stopEnds(fixture: ServiceFixture): Promise<void> {
  await started(fixture);
  await promoted(fixture, 1);
  await within("stop", fixture.service.stop());
  assert.equal(await fixture.serves(), false);
  assert.notEqual(await within("health after stop", fixture.service.health()), "healthy");
}

async function stopsUnstarted({ service }: ServiceFixture): Promise<void> {
  await within("stop without start", service.stop());
}

async function healthIsTrue(fixture: ServiceFixture): Promise<void> {
  const { service, serves, crash } = fixture;
  assert.ok(crash, "the suite says crashes, and the fixture has no crash");
  await started(fixture);
  await promoted(fixture, 1);
  await crash();
  await until("health to say failing, or the service to be back", async () => {
    if (await serves()) return true;
    return (await service.health()) === "failing" || (await serves());
  });
  await until("it to serve again", async () => {
    if (await serves()) return true;
    await service.health();
    return false;
  });
}

async function oneLine(fixture: ServiceFixture): Promise<void> {
  const check = () => {
    const line = fixture.service.describe();
    assert.match(line, /^\S.*\S$/);
    assert.ok(!line.includes("\n") && line.length <= 200, line);
  };
  check();
  await started(fixture);
  check();
  await promoted(fixture, 1);
  check();
  await demoted(fixture);
  check();
  await within("stop", fixture.service.stop());
  check();
}
