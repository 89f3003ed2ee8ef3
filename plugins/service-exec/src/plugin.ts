/** The plugin "exec" of kind service: any program or commands as what the pair keeps reachable. */

import { capabilities, commandText, definePlugin, operatedService } from "@understudy/core/public";
import { execOperations } from "./operations.js";
import { execOptions } from "./options.js";

export default definePlugin({
  name: "exec",
  kind: "service",
  config: execOptions,
  needs: { node: capabilities.node, log: capabilities.log },
  create(options, { node, log }) {
    const operations = execOperations(options, node, log);
    const command = options.run ?? options.start;
    const service = operatedService({
      mode: options.mode,
      operations,
      log,
      title: command === undefined ? "nothing" : commandText(command),
      adoptMs: options.adoptMs,
      restart: options.restart,
    });
    operations.onDeath((reason) => service.died(reason));
    return service;
  },
});
