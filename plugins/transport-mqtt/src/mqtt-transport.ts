/**
 * An MQTT path: every beat goes to every broker that is up, and what arrives from any is delivered. That a beat then
 * arrives several times is no harm, because the core takes each sequence number once.
 */

import type { Transport } from "@understudy/core/public";
import type { MqttClient } from "mqtt";
import type { Broker } from "./broker.js";
import { mqttError } from "./errors.js";

const longestLine = 200;

export interface MqttTransportSetup {
  /** The library, imported here and not at the top of a file: pulse imports this plugin too, and never runs it. */
  loadClient(): Promise<typeof MqttClient>;
  makeBrokers(beat: (frame: Uint8Array) => void): readonly Broker[];
}

export function mqttTransport({ loadClient, makeBrokers }: MqttTransportSetup): Transport {
  let receive: ((frame: Uint8Array) => void) | undefined;
  let stopped = false;
  const brokers = makeBrokers((frame) => receive?.(frame));
  return {
    async start(callback) {
      const Client = await loadClient().catch((cause: unknown) => {
        throw mqttError("MQTT_NOT_INSTALLED", "the npm package mqtt could not be loaded", { cause });
      });
      if (stopped) return;
      receive = callback;
      for (const broker of brokers) broker.start(Client);
    },
    send(frame) {
      for (const broker of brokers) broker.send(frame);
    },
    async stop() {
      stopped = true;
      receive = undefined;
      await Promise.all(brokers.map((broker) => broker.stop()));
    },
    describe() {
      const [only] = brokers;
      if (brokers.length === 1 && only !== undefined) return shortened(only.describe());
      const up = brokers.filter(({ isUp }) => isUp).length;
      const count = up === 0 ? "down, no broker is up" : `${up} of ${brokers.length} brokers are up`;
      // What is wrong comes first, because the line may have to be cut.
      const sorted = [...brokers].sort((a, b) => Number(a.isUp) - Number(b.isUp));
      return shortened(`${count}: ${sorted.map((broker) => broker.describe()).join("; ")}`);
    },
  };
}

function shortened(line: string): string {
  return line.length <= longestLine ? line : `${line.slice(0, longestLine - 1)}…`;
}
