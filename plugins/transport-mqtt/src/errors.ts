/** Why this plugin refuses to start. A broker that cannot be reached is no error: its path is down and says why. */

import { errorsOf } from "@understudy/core/public";

export const mqttErrors = {
  MQTT_NOT_INSTALLED: {
    meaning:
      "The library that speaks MQTT could not be loaded, so this path stays down; the others are not touched.",
    todo: "Install this plugin again together with its dependency, the npm package mqtt.",
  },
} as const;

export const mqttError = errorsOf(mqttErrors);
