/** The plugin "systemd" of kind service: any systemd unit as what the pair keeps reachable. */

import { capabilities, definePlugin, operatedService } from "@understudy/core/public";
import { systemdOperations } from "./operations.js";
import { systemdOptions } from "./options.js";

export default definePlugin({
  name: "systemd",
  kind: "service",
  config: systemdOptions,
  needs: { log: capabilities.log },
  create: (options, { log }) =>
    operatedService({
      mode: options.mode,
      operations: systemdOperations(options, log),
      log,
      title: options.unit,
      adoptMs: options.adoptMs,
      restart: options.restart,
    }),
});
