/** Brokers that are away, die, stop, fall silent or come back: the path says so, and beats flow again by themselves. */

import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, describe, test } from "node:test";
import { recordingLog, testNode } from "@understudy/core/conformance/capabilities";
import { enterPrivateNetwork } from "@understudy/core/conformance/private-network";
import { until } from "@understudy/core/conformance/until";
import { freePort, type Mosquitto, makeMosquitto } from "./mosquitto.js";
import { heard, makeEnd, type Pair, says, startPair } from "./pair.js";
import { relayTo, standInBroker } from "./stand-in-broker.js";

enterPrivateNetwork(import.meta.url);

describe("a broker of one's own", () => {
  let broker: Mosquitto;
  let pair: Pair | undefined;
  before(async () => {
    broker = await makeMosquitto();
  });
  after(() => broker.remove());
  beforeEach(() => broker.start());
  afterEach(async () => {
    await pair?.stop();
    pair = undefined;
    await broker.kill();
  });
  const url = () => `mqtt://127.0.0.1:${broker.port}`;

  test("that is not there yet is said once in the log, and used when it comes", async () => {
    await broker.kill();
    pair = await startPair({ url: url() });
    await says(pair.a, /down, nothing listens there \(ECONNREFUSED\)/);
    await broker.start();
    await heard(pair.a, pair.atB, "after the broker came");
    const lost = pair.logA.lines.filter(({ message }) => message === "broker is lost");
    assert.equal(lost.length, 1);
  });

  test("that is killed and started again loses beats and nothing else", async () => {
    pair = await startPair({ url: url() });
    await heard(pair.a, pair.atB, "before");
    await says(pair.a, /connected, /);
    await broker.kill();
    await says(pair.a, /down, /);
    pair.a.send(Buffer.from("meanwhile"));
    await broker.start();
    await heard(pair.a, pair.atB, "after");
    await heard(pair.b, pair.atA, "after, the other way");
    assert.ok(!pair.atB.includes("meanwhile"), "what could not be sent is gone");
  });

  test("that is stopped (SIGSTOP) is left after the silence, and its beats of before are not kept for later", async () => {
    pair = await startPair({ url: url() });
    const { a, b, atB } = pair;
    await heard(a, atB, "before");
    broker.signal("SIGSTOP");
    await says(a, /down, it has answered nothing for 1 s|no CONNACK/, () =>
      a.send(Buffer.from("while stopped")),
    );
    await says(b, /down, /);
    a.send(Buffer.from("while down"));
    broker.signal("SIGCONT");
    await heard(a, atB, "after");
    assert.ok(!atB.includes("while down"));
  });

  test("whose connection is half open is noticed although beats are sent all the time", async () => {
    const relay = await relayTo(broker.port);
    const far = await startPair({ url: url() });
    const near = makeEnd({ url: `mqtt://127.0.0.1:${relay.port}` });
    try {
      const at: string[] = [];
      await far.a.stop();
      await near.start((frame) => void at.push(Buffer.from(frame).toString()));
      await heard(far.b, at, "before");
      relay.freeze();
      const saying = () => near.send(Buffer.from("beat"));
      await says(near, /down, it has answered nothing for 1 s/, saying);
      await heard(far.b, at, "through a new connection");
    } finally {
      await near.stop();
      await far.stop();
      await relay.close();
    }
  });
});

test("a broker that accepts and never answers is given up after 5 s, and not besieged", async () => {
  const silent = await standInBroker({});
  const end = makeEnd({ url: `mqtt://127.0.0.1:${silent.port}` });
  try {
    await end.start(() => undefined);
    await says(end, /down, it accepted the connection and says nothing: no CONNACK within 5 s/);
    assert.equal(silent.connections, 1);
    end.send(Buffer.from("nobody hears this"));
    await until("the next attempt", () => silent.connections === 2);
  } finally {
    await end.stop();
    await silent.close();
  }
});

test("a broker that lets us in and answers no subscription is given up too", async () => {
  const deaf = await standInBroker({ connack: 0 });
  // It does not answer pings either, and those must not speak first here.
  const end = makeEnd({ url: `mqtt://127.0.0.1:${deaf.port}`, silence: "60s" });
  try {
    await end.start(() => undefined);
    await says(end, /down, it let us in and does not answer the subscription/);
  } finally {
    await end.stop();
    await deaf.close();
  }
});

describe("two brokers", () => {
  let one: Mosquitto;
  let two: Mosquitto;
  before(async () => {
    one = await makeMosquitto();
    two = await makeMosquitto();
    await one.start();
    await two.start();
  });
  after(async () => {
    await one.remove();
    await two.remove();
  });

  test("the nodes meet while both reach any one of them", async () => {
    const url = [`mqtt://127.0.0.1:${one.port}`, `mqtt://127.0.0.1:${two.port}`];
    const pair = await startPair({ url });
    try {
      await says(pair.a, /^2 of 2 brokers are up/);
      await says(pair.b, /^2 of 2 brokers are up/);
      pair.a.send(Buffer.from("once"));
      await until("it through both", () => pair.atB.filter((text) => text === "once").length === 2);
      await one.kill();
      await heard(pair.a, pair.atB, "by the second alone");
      await says(pair.a, /^1 of 2 brokers are up: mqtt:\S+: down, .*; mqtt:\S+: connected/);
      await one.start();
      await says(pair.a, /^2 of 2/);
      await says(pair.b, /^2 of 2/);
      await two.kill();
      await heard(pair.a, pair.atB, "by the first alone");
      await one.kill();
      await says(pair.a, /^down, no broker is up/);
    } finally {
      await pair.stop();
    }
  });
});

test("start settles, and stop too, with a broker that does not exist", async () => {
  const log = recordingLog();
  const end = makeEnd({ url: `mqtt://127.0.0.1:${freePort()}` }, testNode(), log);
  await end.start(() => undefined);
  await end.stop();
  assert.match(end.describe(), /down, stopped/);
});
