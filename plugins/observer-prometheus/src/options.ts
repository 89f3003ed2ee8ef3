/** What an owner may say about this plugin in the config. */

import { isIP } from "node:net";
import { z } from "@understudy/core/public";

export interface Endpoint {
  /** "node": this node's own first address, so that one file serves both nodes. */
  readonly address: string;
  readonly port: number;
}

/** "127.0.0.1:9640", "[::1]:9640", "node:9640". Port 0 takes a free one, for tests. */
const endpoint = z.string().transform((text, context): Endpoint => {
  const match = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(text);
  const address = match?.[1] ?? match?.[2] ?? "";
  const port = Number(match?.[3]);
  if ((isIP(address) !== 0 || address === "node") && port <= 65535) return { address, port };
  const message = "must be an address or `node`, and a port, such as 127.0.0.1:9640, [::1]:9640 or node:9640";
  context.addIssue({ code: "custom", message, input: text });
  return z.NEVER;
});

export const prometheusOptions = z.strictObject({
  listen: endpoint
    .prefault("127.0.0.1:9640")
    .describe(
      "Address and port of the HTTP server, such as 0.0.0.0:9640 or [::1]:9640; node:9640 is the first address of each node; never the HA address. Default: 127.0.0.1:9640.",
    ),
});

export type PrometheusOptions = z.infer<typeof prometheusOptions>;
