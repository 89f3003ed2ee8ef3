/**
 * The shape of the one file a person writes: every key with its unit, its default and what it is for. The loader
 * validates by it, and `CONFIG.md`, `understudy config schema` and the hints in error messages are made from it.
 */

import { z } from "zod";
import { duration, durationOrNever } from "./duration.js";
import { parseHostAddress } from "./ip-text.js";

const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;

const ipAddress = z.string().transform((text, context) => {
  const parsed = parseHostAddress(text);
  if ("address" in parsed && parsed.prefixLength === undefined) return parsed.address;
  const problem = "problem" in parsed ? parsed.problem : "must be written without a prefix length here";
  context.addIssue({ code: "custom", message: problem, input: text });
  return z.NEVER;
});

const ipWithPrefix = z.string().transform((text, context) => {
  const parsed = parseHostAddress(text);
  if ("address" in parsed && parsed.prefixLength !== undefined) {
    return { address: parsed.address, family: parsed.family, prefixLength: parsed.prefixLength };
  }
  const problem =
    "problem" in parsed
      ? parsed.problem
      : `must have its prefix length, such as ${parsed.address}/${parsed.family === 4 ? 24 : 64}`;
  context.addIssue({ code: "custom", message: problem, input: text });
  return z.NEVER;
});

/** Letters, digits, dots and hyphens, with at least one letter: a name of digits alone would sort before the others. */
const nodeName = z
  .string()
  .max(63, "must have at most 63 characters")
  .regex(
    /^(?=.*[a-zA-Z])[a-zA-Z0-9]([a-zA-Z0-9.-]*[a-zA-Z0-9])?$/,
    "must be letters, digits, dots and hyphens, with at least one letter, as in a host name",
  );

const interfaceName = z
  .string()
  .regex(/^[^\s/:]{1,15}$/, "must be the name of a network interface, at most 15 characters, such as eth0");

const haAddressWithInterface = z.strictObject({
  address: ipWithPrefix.describe("Address and prefix length, such as 10.0.0.4/24."),
  interface: interfaceName
    .optional()
    .describe("The interface it belongs on. Default: the one whose network contains it."),
});

const oneHaAddress = z.union([ipWithPrefix, haAddressWithInterface]);

const name = z
  .string()
  .regex(/^[a-zA-Z0-9][a-zA-Z0-9-]{0,30}$/, "must be letters, digits and hyphens, at most 31");

/** Short name, package name or path, alone or with the plugin's own options beside it. */
const pluginName = z.string().min(1, "must name a plugin").max(300, "must have at most 300 characters");
const pluginDescription =
  "Short name, package name, or path (beginning with ./ or /, from the folder of this file).";

const pluginEntry = z.union([
  pluginName,
  z.looseObject({ plugin: pluginName.describe(pluginDescription) }).describe("The plugin and its options."),
]);

const pathEntry = z.union([
  pluginName,
  z
    .looseObject({
      plugin: pluginName.describe(pluginDescription),
      class: z
        .enum(["client", "private", "out-of-band"])
        .optional()
        .describe(
          "client: the network the clients use. private: a network or cable of the pair alone. out-of-band: " +
            "anything else. Default: client when it is the only path; with several each must say it.",
        ),
      name: name
        .optional()
        .describe("How status calls this path. Default: the plugin's name, numbered when there are several."),
    })
    .describe("The plugin, what network it uses, and its options."),
]);

const port = z.int().min(1, "must be a port from 1 to 65535").max(65535, "must be a port from 1 to 65535");

const heartbeat = z.strictObject({
  profile: z
    .enum(["standard", "fast"])
    .default("standard")
    .describe(
      "standard: a beat every 20 ms, dead after 100 ms at least. fast: 5 ms and 32 ms, for quiet hosts; " +
        "`understudy doctor` says what a host can bear.",
    ),
  interval: duration({ min: 1, max: second })
    .optional()
    .describe("Time between two beats. Default by profile: 20 ms or 5 ms."),
  deadFloor: duration({ min: 5, max: minute })
    .optional()
    .describe("The shortest silence that counts as death (rule R11). Default by profile: 100 ms or 32 ms."),
  deadCeiling: duration({ min: 50, max: 5 * minute })
    .prefault("400ms")
    .describe("The longest that the adaptive dead time may become (rule R11)."),
  port: port
    .max(65532, "must be at most 65532: three ports above it are used too")
    .default(6940)
    .describe(
      "UDP: the beats. TCP: the link between the node processes. This port + 3 on TCP must stay closed: its reset " +
        "tells that a kernel lives (rule R9).",
    ),
  paths: z
    .array(pathEntry)
    .min(1, "must name at least one path")
    .max(16, "must name at most 16 paths")
    .default([{ plugin: "udp", class: "client" }])
    .describe("The ways beats travel between the nodes; each more makes the pair strictly safer (G6)."),
});

export const failbackDetails = z.strictObject({
  mode: z
    .enum(["auto", "manual"])
    .default("auto")
    .describe("auto: the primary takes the address back when it is in sync. manual: an operator switches."),
  hold: duration({ min: 0, max: 24 * hour })
    .prefault("10s")
    .describe("How long everything must have been well before it takes back (rule R25)."),
  maxHold: duration({ min: 0, max: 24 * hour })
    .prefault("1h")
    .describe(
      "The hold doubles after each involuntary loss, of the node or of its health, up to this (rule R25).",
    ),
  manualAfterLosses: z
    .int()
    .min(1, "must be from 1 to 1000")
    .max(1000, "must be from 1 to 1000")
    .default(3)
    .describe(
      "This many involuntary losses within an hour, of the node or of its health, turn automatic failback off (rule R25).",
    ),
  freeze: duration({ min: 1, max: 10 * second })
    .prefault("50ms")
    .describe("The longest that writes wait while the primary takes back (rule R25)."),
});

export const fileSchema = z.strictObject({
  cluster: z
    .string()
    .regex(/^[a-zA-Z0-9][a-zA-Z0-9._-]{0,31}$/, "must be letters, digits, dots and hyphens, at most 32")
    .describe("The name of the pair, equal on both nodes; beats of another cluster are ignored."),
  nodes: z
    .record(
      nodeName,
      z.union([
        ipAddress,
        z.array(ipAddress).min(1, "must have at least one address").max(16, "must have at most 16 addresses"),
      ]),
    )
    .refine((nodes) => Object.keys(nodes).length === 2, "must name exactly two nodes, the primary first")
    .describe("The two machines: name, and its own address or a list of them. The first is the primary."),
  haAddress: z
    .union([
      ipWithPrefix,
      haAddressWithInterface,
      z
        .array(oneHaAddress)
        .min(1, "must have at least one address")
        .max(32, "must have at most 32 addresses"),
    ])
    .describe("The address that clients use, with its prefix length; or a list, which moves as one."),
  heartbeat: heartbeat.prefault({}).describe("How the nodes watch each other."),
  lease: duration({ min: 100, max: 10 * minute })
    .prefault("250ms")
    .describe("How long the kernel lets this node answer after its last refresh (rule R3)."),
  hangLimit: duration({ min: 200, max: 10 * minute })
    .prefault("1s")
    .describe("A node process that answers nothing for this long counts as hung."),
  aloneAfter: durationOrNever({ min: 0, max: 24 * hour })
    .prefault("30s")
    .describe(
      "A node that starts and hears no peer serves after this, marked stale (rule R24); never: it waits.",
    ),
  failback: z
    .union([z.enum(["auto", "manual"]), failbackDetails])
    .default("auto")
    .describe("Whether the primary takes the address back by itself."),
  reclaimHold: duration({ min: 0, max: 24 * hour })
    .prefault("10s")
    .describe("After it lost the address a node does not claim it back for this long (rule R14)."),
  foreignHold: duration({ min: 0, max: 24 * hour })
    .prefault("30s")
    .describe("Beats that do not authenticate hold a first claim back for this long (rule R29)."),
  address: z
    .array(pluginEntry)
    .min(1, "must name at least one backend")
    .max(8, "must name at most 8 backends")
    .default(["iproute2", "garp"])
    .describe("The address backends, acquired in order, released in reverse."),
  sessions: pluginEntry
    .default("sqlite")
    .describe(
      "The session store, or none: then the services keep their own data and G3-G5 are not promised. " +
        "Default: SQLite in sessions.db of the state folder.",
    ),
  replication: z
    .strictObject({
      port: port.default(6941).describe("TCP port of the link that carries sessions."),
      staleAfter: duration({ min: 50, max: 10 * minute })
        .prefault("500ms")
        .describe("After this silence of the stream the standby calls itself stale (rule R20)."),
      soloAfter: duration({ min: 100, max: 10 * minute })
        .prefault("1s")
        .describe("After this silence of the stream the active node acknowledges alone (rule R20)."),
    })
    .prefault({})
    .describe("How sessions reach the other node."),
  services: z
    .array(pluginEntry)
    .max(64, "must name at most 64 services")
    .default([])
    .describe("What runs at the HA address. With none the pair keeps the address alone."),
  arbiters: z
    .array(pluginEntry)
    .max(8, "must name at most 8 arbiters")
    .default([])
    .describe("Third votes, asked before a node takes the address (rules R30, R31). Each must let it."),
  onArbiterLost: z
    .enum(["keep", "stepDown"])
    .default("stepDown")
    .describe(
      "What an active node does that cannot renew the grant of an exclusive arbiter (rule R30). stepDown: it serves " +
        "no more, so two never serve at once. keep: it serves on, and two may while it is cut off from arbiter and peer.",
    ),
  fences: z
    .array(pluginEntry)
    .max(8, "must name at most 8 fences")
    .default([])
    .describe(
      "What makes certain that a silent node answers nobody; a takeover without its word waits until one has confirmed " +
        "(rule R32). Tried in this order.",
    ),
  fenceDelay: duration({ min: 0, max: hour })
    .prefault("30s")
    .describe(
      "When neither node is known to serve, the one that is not preferred fires its fence this much later, so that two " +
        "that cannot hear each other do not switch each other off (rule R32). Longer than a fence takes.",
    ),
  observers: z
    .array(pluginEntry)
    .max(64, "must name at most 64 observers")
    .default([])
    .describe("Who is told of what happens."),
  watchdog: z
    .strictObject({
      device: z
        .string()
        .startsWith("/", "must be an absolute path")
        .default("/dev/watchdog")
        .describe("The device, which a driver makes; nothing else may feed it."),
      timeout: duration({ min: 2 * second, max: 10 * minute })
        .prefault("10s")
        .describe(
          "The machine is reset when pulse has shown no sign of health for this long. Longer than a restart of pulse takes.",
        ),
    })
    .optional()
    .describe(
      "The hardware watchdog, fed by pulse while it is healthy (rule R4). Default: none is opened. The nodes may differ in it.",
    ),
  keyFile: z
    .string()
    .startsWith("/", "must be an absolute path")
    .default("/etc/understudy/key")
    .describe("The shared key, equal on both nodes, mode 0600."),
  folders: z
    .strictObject({
      state: z
        .string()
        .startsWith("/", "must be an absolute path")
        .default("/var/lib/understudy")
        .describe("Survives reboots."),
      run: z
        .string()
        .startsWith("/", "must be an absolute path")
        .max(80, "must have at most 80 characters: sockets live in it")
        .default("/run/understudy")
        .describe("Gone at reboot; the sockets live here."),
    })
    .prefault({})
    .describe("Where files of this node live."),
  log: z
    .strictObject({
      level: z
        .enum(["debug", "info", "warn", "error"])
        .default("info")
        .describe("The least important entries that are written."),
    })
    .prefault({})
    .describe("What is logged."),
});

export type FileShape = z.infer<typeof fileSchema>;
