/** The transport suite over a real Mosquitto: plain, over TLS with client certificates, and over two brokers at once. */

import { after, before, describe } from "node:test";
import { otherNode, testNode } from "@understudy/core/conformance/capabilities";
import { enterPrivateNetwork } from "@understudy/core/conformance/private-network";
import { transportConformance } from "@understudy/core/conformance/transport";
import { type Certificates, makeCertificates } from "./certificates.js";
import { type Mosquitto, makeMosquitto } from "./mosquitto.js";
import { makeEnd } from "./pair.js";

enterPrivateNetwork(import.meta.url);

async function pairAt(broker: Mosquitto, options: object) {
  await broker.start();
  const other = () => makeEnd(options, otherNode(testNode()));
  return {
    a: makeEnd(options),
    b: other(),
    again: other,
    cut: () => broker.kill(),
    mend: () => broker.start(),
    dispose: () => broker.kill(),
  };
}

describe("mqtt", () => {
  let plain: Mosquitto;
  let secure: Mosquitto;
  let certificates: Certificates;
  before(async () => {
    certificates = makeCertificates();
    plain = await makeMosquitto();
    secure = await makeMosquitto({
      config: () => [
        `cafile ${certificates.ca}`,
        `certfile ${certificates.brokerCert}`,
        `keyfile ${certificates.brokerKey}`,
        "require_certificate true",
        "use_identity_as_username true",
      ],
    });
  });
  after(async () => {
    await plain.remove();
    await secure.remove();
    certificates.remove();
  });

  transportConformance({
    name: "mqtt",
    cuts: true,
    makePair: () => pairAt(plain, { url: `mqtt://127.0.0.1:${plain.port}` }),
  });
  transportConformance({
    name: "mqtt over TLS with client certificates",
    cuts: true,
    makePair: () =>
      pairAt(secure, {
        url: `mqtts://127.0.0.1:${secure.port}`,
        ca: certificates.ca,
        cert: certificates.clientCert,
        key: certificates.clientKey,
      }),
  });
  transportConformance({
    name: "mqtt over two brokers, one of which is never there",
    cuts: true,
    makePair: () => pairAt(plain, { url: [`mqtt://127.0.0.1:${plain.port}`, "mqtt://127.0.0.1:1"] }),
  });
});
