/** Brokers that refuse: the password, the certificate, the topic, the place of another. Each is said by its name. */

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { recordingLog, testNode } from "@understudy/core/conformance/capabilities";
import { enterPrivateNetwork } from "@understudy/core/conformance/private-network";
import { until } from "@understudy/core/conformance/until";
import { type Certificates, makeCertificates } from "./certificates.js";
import { type Mosquitto, makeMosquitto } from "./mosquitto.js";
import { heard, makeEnd, says, startPair } from "./pair.js";
import { standInBroker } from "./stand-in-broker.js";

enterPrivateNetwork(import.meta.url);

/** Started with these options; whatever `work` does, it is stopped. */
async function withEnd(
  options: object,
  work: (end: ReturnType<typeof makeEnd>) => Promise<void>,
  log = recordingLog(),
): Promise<void> {
  const end = makeEnd(options, testNode(), log);
  try {
    await end.start(() => undefined);
    await work(end);
  } finally {
    await end.stop();
  }
}

describe("a broker with users and an access list", () => {
  let broker: Mosquitto;
  before(async () => {
    broker = await makeMosquitto({
      config(folder) {
        const users = join(folder, "users");
        const lists = join(folder, "lists");
        for (const user of ["good", "mute", "deaf"])
          execFileSync("mosquitto_passwd", [
            ...(user === "good" ? ["-c"] : []),
            "-b",
            users,
            user,
            `${user} password`,
          ]);
        const mayRead = "topic read understudy/test/mqtt/+/+";
        const mayWrite = "topic write understudy/test/mqtt/+/+";
        writeFileSync(
          lists,
          ["user good", mayRead, mayWrite, "user mute", mayRead, "user deaf", mayWrite, ""].join("\n"),
        );
        return ["allow_anonymous false", `password_file ${users}`, `acl_file ${lists}`];
      },
    });
    await broker.start();
  });
  after(() => broker.remove());
  const url = () => `mqtt://127.0.0.1:${broker.port}`;

  test("lets in who has the password, from the config or from a file", async () => {
    const passwordFile = join(broker.folder, "secret");
    writeFileSync(passwordFile, "good password\n", { mode: 0o600 });
    for (const secret of [{ password: "good password" }, { passwordFile }]) {
      const pair = await startPair({ url: url(), user: "good", ...secret });
      try {
        await heard(pair.a, pair.atB, "hello");
        await heard(pair.b, pair.atA, "hello");
      } finally {
        await pair.stop();
      }
    }
  });

  test("says that the password is wrong, and nothing of it goes to the log or the status", async () => {
    const log = recordingLog();
    const work = (end: ReturnType<typeof makeEnd>) =>
      says(
        end,
        /down, it (refused user or password|does not let us in: not authorized) \(13[45]\)|\(13[45]\)/,
      );
    await withEnd({ url: url(), user: "good", password: "a wrong one" }, work, log);
    assert.ok(!JSON.stringify(log.lines).includes("a wrong one"));
  });

  test("is asked again with the password that has come into the file", async () => {
    const passwordFile = join(broker.folder, "changing");
    writeFileSync(passwordFile, "not yet", { mode: 0o644 });
    const log = recordingLog();
    await withEnd(
      { url: url(), user: "good", passwordFile },
      async (end) => {
        await says(end, /down, .*\(13[45]\)/);
        writeFileSync(passwordFile, "good password\n");
        await says(end, /connected/);
      },
      log,
    );
    const warned = log.lines.filter(({ message }) => /can be read by everybody/.test(message));
    assert.equal(warned.length, 1, "a secret that all may read is mentioned once");
  });

  test("that discards our beats without a word is found out", () =>
    withEnd({ url: url(), user: "mute", password: "mute password" }, (end) =>
      says(end, /connected, but it refuses our beats on understudy\/test\/mqtt\/primary\/beat \(135\)/, () =>
        end.send(Buffer.from("beat")),
      ),
    ));

  test("at which the other node does not listen says that", () =>
    withEnd({ url: url(), user: "good", password: "good password" }, (end) =>
      says(end, /connected, but the other node does not listen there/, () => end.send(Buffer.from("beat"))),
    ));

  test("that lets the other node's beats not through shows that none arrive", async () => {
    const good = makeEnd({ url: url(), user: "good", password: "good password" });
    const deaf = { primary: "good", secondary: "deaf" };
    const passwords = { primary: "good password", secondary: "deaf password" };
    const pair = await startPair({ url: url(), user: deaf, password: passwords });
    try {
      await heard(pair.b, pair.atA, "from the deaf one");
      await says(pair.a, /connected, the other node's beats arrive/);
      await says(pair.b, /connected, the other node is not there/, () => pair.a.send(Buffer.from("beat")));
      assert.deepEqual(pair.atB, []);
    } finally {
      await pair.stop();
      await good.stop();
    }
  });

  test("a password file that is not there is named", () =>
    withEnd({ url: url(), user: "good", passwordFile: "/nowhere/secret" }, (end) =>
      says(end, /down, cannot read \/nowhere\/secret: ENOENT/),
    ));
});

test("a topic that is refused outright is named, and a code is put in words", async () => {
  const refusing = await standInBroker({ connack: 0, suback: [135, 0, 0] });
  const busy = await standInBroker({ connack: 137 });
  const strange = await standInBroker({ connack: 0xe9 });
  try {
    await withEnd({ url: `mqtt://127.0.0.1:${refusing.port}` }, (end) =>
      says(end, /down, it refuses us the topic understudy\/test\/mqtt\/secondary\/beat \(135\)/),
    );
    await withEnd({ url: `mqtt://127.0.0.1:${busy.port}` }, (end) =>
      says(end, /it says that it is busy \(137\)/),
    );
    await withEnd({ url: `mqtt://127.0.0.1:${strange.port}` }, (end) => says(end, /it gave reason 233/));
    assert.ok(
      refusing.connections === 1 && strange.connections === 1,
      "what is refused is not asked again at once",
    );
  } finally {
    await Promise.all([refusing.close(), busy.close(), strange.close()]);
  }
});

test("two machines that run as one node do not throw each other out in turn", async () => {
  const broker = await makeMosquitto();
  await broker.start();
  const first = makeEnd({ url: `mqtt://127.0.0.1:${broker.port}` });
  const second = makeEnd({ url: `mqtt://127.0.0.1:${broker.port}` });
  try {
    await first.start(() => undefined);
    await says(first, /connected/);
    await second.start(() => undefined);
    // Each throws the other out at first. Who is thrown out by somebody it has seen leaves the place to him.
    const away = (end: ReturnType<typeof makeEnd>) =>
      /down, another machine .* client id/.test(end.describe());
    const there = (end: ReturnType<typeof makeEnd>) => /connected/.test(end.describe());
    await until(
      "one of them to give way",
      () => (away(first) && there(second)) || (away(second) && there(first)),
    );
    const [loser, winner] = away(first) ? [first, second] : [second, first];
    // The next attempt would come within half a second if it were made like any other.
    const quiet = performance.now() + 1500;
    await until("a while without a fight", () => {
      assert.ok(away(loser) && there(winner), `${loser.describe()} | ${winner.describe()}`);
      return performance.now() > quiet;
    });
  } finally {
    await first.stop();
    await second.stop();
    await broker.remove();
  }
});

test("the HA address is at no end of a connection (rule R1)", async () => {
  const broker = await standInBroker({ connack: 0 });
  try {
    const node = testNode({
      haAddresses: [{ address: "127.0.0.1", family: 4, prefixLength: 8, interfaceName: undefined }],
    });
    const end = makeEnd({ url: `mqtt://127.0.0.1:${broker.port}` }, node);
    await end.start(() => undefined);
    await says(end, /down, the HA address is at one end/);
    await end.stop();
  } finally {
    await broker.close();
  }
});

describe("a broker with TLS", () => {
  let broker: Mosquitto;
  let ours: Certificates;
  let others: Certificates;
  before(async () => {
    ours = makeCertificates();
    others = makeCertificates();
    broker = await makeMosquitto({
      config: () => [
        `cafile ${ours.ca}`,
        `certfile ${ours.brokerCert}`,
        `keyfile ${ours.brokerKey}`,
        "require_certificate true",
        "allow_anonymous true",
      ],
    });
    await broker.start();
  });
  after(async () => {
    await broker.remove();
    ours.remove();
    others.remove();
  });
  const options = () => ({
    url: `mqtts://127.0.0.1:${broker.port}`,
    ca: ours.ca,
    cert: ours.clientCert,
    key: ours.clientKey,
  });

  test("lets in who shows a certificate of its authority", () =>
    withEnd(options(), (end) => says(end, /connected/)));

  test("by its name, where that is given", () =>
    withEnd({ ...options(), servername: "broker.example.com" }, (end) => says(end, /connected/)));

  for (const [what, change, line] of [
    [
      "of another name",
      () => ({ servername: "other.example.com" }),
      /down, TLS: its certificate is for another name/,
    ],
    ["of an authority we do not know", () => ({ ca: others.ca }), /down, TLS: .*(trust|unable|signature)/],
    [
      "that asks for a certificate we have not",
      () => ({ cert: undefined, key: undefined }),
      /down, .*certificate/,
    ],
    [
      "that does not know our authority",
      () => ({ cert: others.clientCert, key: others.clientKey }),
      /down, TLS: .*(unknown ca|certificate|decrypt error)/,
    ],
    ["and a key that is not the certificate's", () => ({ key: others.clientKey }), /down, TLS: .*key/],
    ["and a file that is no certificate", () => ({ cert: ours.clientKey }), /down, TLS: /],
  ] as const) {
    test(`${what} is not spoken to, and that is said`, () =>
      withEnd({ ...options(), ...change() }, (end) => says(end, line)));
  }

  test("is left no connection behind by a key that does not fit", async () => {
    const server = await standInBroker({});
    try {
      await withEnd(
        { ...options(), url: `mqtts://127.0.0.1:${server.port}`, key: others.clientKey },
        async (end) => {
          await says(end, /down, TLS: .*key/);
          await until("the connection to be closed", () => server.connections === 1 && server.open === 0);
        },
      );
    } finally {
      await server.close();
    }
  });

  test("is not spoken to without TLS", () =>
    withEnd({ url: `mqtt://127.0.0.1:${broker.port}` }, (end) => says(end, /down, /)));
});
