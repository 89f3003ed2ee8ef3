/** What a person may write for the plugin: where etcd is, how to log in, and how long a grant lasts. */

import { z } from "@understudy/core/public";

const file = (what: string) =>
  z.string().startsWith("/", "must be an absolute path").describe(`${what} A PEM file, absolute path.`);

function isEndpoint(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, pathname, search, username, hash } = new URL(text);
  return ["http:", "https:"].includes(protocol) && pathname === "/" && `${search}${username}${hash}` === "";
}

const tls = z
  .strictObject({
    ca: file("The authority that signed the certificates of the members.").optional(),
    certificate: file("This node's certificate, where etcd asks clients for one.").optional(),
    key: file("The key of that certificate.").optional(),
    serverName: z
      .string()
      .min(1)
      .optional()
      .describe("The name that the members' certificates carry. Default: the host of the endpoint."),
  })
  .refine(({ certificate, key }) => (certificate === undefined) === (key === undefined), {
    message: "a certificate needs its key, and a key its certificate",
  });

export const etcdOptions = z
  .strictObject({
    endpoints: z
      .array(z.string().refine(isEndpoint, "must be like https://etcd1.example.com:2379, without a path"))
      .min(1)
      .max(9)
      .refine((all) => new Set(all).size === all.length, "names an endpoint twice")
      .describe("The client addresses of the members of one etcd cluster. Asked in this order."),
    prefix: z
      .string()
      .regex(/^[^\s/](?:[^\s]*[^\s/])?$|^\/[^\s]*[^\s/]$/, "must be like /understudy, without / at its end")
      .default("/understudy")
      .describe("The keys are PREFIX/CLUSTER/holder and PREFIX/CLUSTER/record. Default /understudy."),
    ttlSeconds: z
      .int()
      .min(2)
      .max(30)
      .default(5)
      .describe(
        "How long a grant lasts without being prolonged, seconds: what a takeover waits when a node dies without a word. " +
          "etcd grants at least 1.5 times its election timeout. Default 5.",
      ),
    requestTimeoutMs: z
      .int()
      .min(50)
      .max(4000)
      .default(1000)
      .describe("Milliseconds until the next endpoint is asked when one does not answer. Default 1000."),
    tls: tls.optional().describe("For endpoints that begin with https. Default: the system's authorities."),
    user: z.string().min(1).optional().describe("Name of an etcd user, where etcd's authentication is on."),
    passwordFile: z
      .string()
      .startsWith("/", "must be an absolute path")
      .optional()
      .describe("A file with that user's password in its first line, absolute path."),
  })
  .superRefine((options, context) => {
    const wrong = (message: string, key: string) =>
      context.addIssue({ code: "custom", message, path: [key], input: options });
    if ((options.user === undefined) !== (options.passwordFile === undefined))
      wrong("a user needs a passwordFile, and a passwordFile a user", "user");
    if (options.tls && !options.endpoints.some((endpoint) => endpoint.startsWith("https:")))
      wrong("is of no use while no endpoint begins with https", "tls");
  })
  .describe("An etcd cluster of at least three members as the third vote: it grants one node at a time.");

export type EtcdOptions = z.infer<typeof etcdOptions>;
