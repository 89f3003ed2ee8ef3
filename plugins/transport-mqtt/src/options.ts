/**
 * What a person may write for an MQTT path. The same file serves both nodes, so what may differ between them can be
 * written by side; secrets can stand in files that only this service reads.
 */

import { duration, z } from "@understudy/core/public";

const second = 1000;

/** mqtt://host[:port] or mqtts://host[:port], and nothing more: the rest has options of its own. */
const brokerUrl = z.string().superRefine((text, context) => {
  const problem = problemOf(text);
  if (problem !== undefined) context.addIssue({ code: "custom", message: problem, input: text });
});

function problemOf(text: string): string | undefined {
  const url = URL.parse(text);
  if (url === null || !["mqtt:", "mqtts:"].includes(url.protocol) || url.hostname === "")
    return "must be mqtt://host or mqtts://host, with :port where it is not the usual one";
  if (url.username !== "" || url.password !== "")
    return "must not carry user and password: write them as the options user and passwordFile";
  if (url.search !== "" || url.hash !== "" || !["", "/"].includes(url.pathname))
    return "must end after host and port";
  return undefined;
}

const file = z.string().startsWith("/", "must be an absolute path");
const word = z.string().min(1, "must not be empty").max(1024, "must have at most 1024 characters");
const bySide = (one: z.ZodString) =>
  z.union([
    one,
    z.strictObject({ primary: one.describe("The primary's."), secondary: one.describe("The secondary's.") }),
  ]);

const levels = z
  .string()
  .max(200, "must have at most 200 characters")
  .regex(
    /^[^+#/\s\p{Cc}$][^+#\s\p{Cc}]*$/u,
    "must be levels of a topic, without +, #, spaces or a / in front",
  )
  .refine((text) => !text.endsWith("/"), "must not end with a /");

export const mqttOptions = z
  .strictObject({
    url: z
      .union([
        brokerUrl,
        z
          .array(brokerUrl)
          .min(1, "must name at least one broker")
          .max(4, "must name at most 4 brokers")
          .refine((urls) => new Set(urls).size === urls.length, "names a broker twice"),
      ])
      .describe(
        "The broker, mqtt://host[:port] (1883) or mqtts://host[:port] (TLS, 8883); or a list of up to 4, all of " +
          "which are used at once, so that the nodes meet as long as both reach any one of them.",
      ),
    user: bySide(word).optional().describe("User name at the brokers, or { primary, secondary }."),
    password: bySide(word)
      .optional()
      .describe("Password at the brokers, or { primary, secondary }. Better: passwordFile."),
    passwordFile: file
      .optional()
      .describe("Absolute path of a file with the password on its only line, read at every connection."),
    ca: file
      .optional()
      .describe(
        "Absolute path of the certificates (PEM) that the broker's must descend from. Default: those Node.js trusts.",
      ),
    cert: file
      .optional()
      .describe("Absolute path of this node's client certificate (PEM), for brokers that ask for one."),
    key: file.optional().describe("Absolute path of the key (PEM) of that certificate."),
    servername: word
      .optional()
      .describe("Name that the broker's certificate must bear. Default: the host of its url."),
    topic: levels
      .default("understudy")
      .describe("What the topics begin with: TOPIC/CLUSTER/PATH/SIDE/beat and …/presence."),
    interval: duration({ min: 5, max: 60 * second })
      .prefault("200ms")
      .describe(
        "Shortest time between two beats on this path. A broker of your own can bear 20ms; be kind to a shared one.",
      ),
    silence: duration({ min: second, max: 60 * second })
      .prefault("3s")
      .describe("A broker that answers nothing for this long is left and connected to anew."),
  })
  .superRefine((options, context) => {
    for (const [message, path] of contradictions(options))
      context.addIssue({ code: "custom", message, path: [path], input: options[path] });
  })
  .describe("Heartbeats over MQTT 5 brokers.");

type Written = {
  readonly [K in "url" | "user" | "password" | "passwordFile" | "ca" | "cert" | "key" | "servername"]?:
    | unknown
    | undefined;
};

function contradictions(options: Written): [string, keyof Written][] {
  const found: [string, keyof Written][] = [];
  if (options.password !== undefined && options.passwordFile !== undefined)
    found.push(["is given twice, as password and as passwordFile", "password"]);
  if (options.user === undefined && (options.password ?? options.passwordFile) !== undefined)
    found.push(["is missing, and there is a password", "user"]);
  if (options.cert !== undefined && options.key === undefined)
    found.push(["is missing, and there is a cert", "key"]);
  if (options.key !== undefined && options.cert === undefined)
    found.push(["is missing, and there is a key", "cert"]);
  const secure = [options.url].flat().some((url) => String(url).startsWith("mqtts:"));
  for (const name of ["ca", "cert", "servername"] as const)
    if (options[name] !== undefined && !secure)
      found.push(["is for mqtts:// brokers, and there is none", name]);
  return found;
}

export type MqttOptions = z.infer<typeof mqttOptions>;
