/**
 * The plugin "mqtt": heartbeats over MQTT 5 brokers, for pairs that share no second network but can both reach a third
 * machine. It runs in node, because a library of this size has no place in pulse.
 */

import { capabilities, definePlugin } from "@understudy/core/public";
import { createBroker } from "./broker.js";
import { credentialsOf } from "./credentials.js";
import { mqttTransport } from "./mqtt-transport.js";
import { namesOf } from "./names.js";
import { mqttOptions } from "./options.js";
import { newInstance } from "./presence.js";

export default definePlugin({
  name: "mqtt",
  kind: "transport",
  runsIn: "node",
  beatIntervalMs: ({ interval }) => interval,
  config: mqttOptions,
  needs: { node: capabilities.node, path: capabilities.path, log: capabilities.log },
  create(options, { node, path, log }) {
    const names = namesOf(options.topic, node, path);
    const instance = newInstance();
    const readCredentials = credentialsOf(options, node.side, log);
    return mqttTransport({
      loadClient: async () => (await import("mqtt")).MqttClient,
      makeBrokers: (beat) =>
        [options.url].flat().map((url) =>
          createBroker({
            url,
            servername: options.servername,
            silenceMs: options.silence,
            names,
            instance,
            node,
            log,
            readCredentials,
            beat,
          }),
        ),
    });
  },
});
