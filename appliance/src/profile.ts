/**
 * What a person decides about an appliance image, as one document: the profile. It is pure data; the plan that an image
 * is built by is derived from it and from the pair's own config, never from the machine that builds.
 */

import { z } from "@understudy/core/public";

const mac = z
  .string()
  .regex(/^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/)
  .describe("A network card by its address, lower case with colons: 52:54:00:12:34:56.");

const network = z
  .strictObject({
    match: z
      .union([
        z.strictObject({ mac }),
        z.strictObject({ driver: z.string().min(1) }),
        z.strictObject({ path: z.string().min(1) }),
      ])
      .describe("Which card this is: by `mac`, by kernel `driver`, or by udev `path`."),
    name: z
      .string()
      .regex(/^[a-z][a-z0-9]{0,14}$/)
      .describe("What the interface is called on the appliance: client0, pair0."),
    gateway: z.union([z.ipv4(), z.ipv6()]).optional().describe("The default gateway, on one interface only."),
    mtu: z.int().min(1280).max(9216).default(1500).describe("Bytes."),
  })
  .describe("One network card. Its addresses come from the pair's config, so that they are written once.");

const administrator = z.strictObject({
  name: z.string().regex(/^[a-z][a-z0-9-]{0,30}$/),
  keys: z
    .array(z.string().startsWith("ssh-"))
    .min(1)
    .describe("OpenSSH public keys. There are no passwords."),
});

export const profileSchema = z
  .strictObject({
    profileVersion: z.literal(1).describe("The version of this document's form."),
    image: z.strictObject({
      name: z
        .string()
        .regex(/^[a-z][a-z0-9-]{0,20}$/)
        .default("understudy")
        .describe("The image's name, in file and partition labels."),
      version: z
        .string()
        .regex(/^\d+(\.\d+){0,2}$/)
        .describe("Compared by the updater: a higher one replaces a lower one."),
      architecture: z.enum(["x86-64", "arm64"]).default("x86-64"),
      kernel: z
        .enum(["cloud", "generic"])
        .default("generic")
        .describe("`cloud` for virtual machines (34 MB), `generic` for hardware (108 MB)."),
    }),
    disk: z
      .strictObject({
        slotMiB: z.int().min(320).default(512).describe("Size of one of the two system slots, MiB."),
        espMiB: z
          .int()
          .min(300)
          .default(512)
          .describe("Size of the boot partition, MiB: two kernels must fit."),
        dataMinMiB: z
          .int()
          .min(256)
          .default(1024)
          .describe("Least room for the session database and logs, MiB; it grows to the whole disk."),
      })
      .prefault({}),
    networks: z.array(network).min(1),
    console: z
      .strictObject({
        serial: z
          .string()
          .regex(/^tty[A-Z]+\d+$/)
          .optional()
          .describe("A serial console, such as ttyS0."),
        baud: z.union([z.literal(9600), z.literal(57600), z.literal(115200)]).default(115200),
      })
      .prefault({}),
    administrators: z
      .array(administrator)
      .default([])
      .describe("Who may log in over SSH; nobody by default."),
    timeServers: z
      .array(z.string().min(1))
      .default([])
      .describe("NTP servers. Nothing is decided by the wall clock; logs are easier to read with it."),
    watchdogSeconds: z
      .int()
      .min(5)
      .max(120)
      .default(10)
      .describe("The hardware watchdog resets a machine whose kernel hangs this long, seconds."),
    update: z
      .strictObject({
        source: z
          .url({ protocol: /^https$/ })
          .optional()
          .describe("Where new images are looked for; without it only files and USB sticks count."),
        triesPerImage: z
          .int()
          .min(1)
          .max(9)
          .default(3)
          .describe("Boots that a new image may fail before the old one returns."),
      })
      .prefault({}),
  })
  .superRefine((profile, context) => {
    const names = profile.networks.map(({ name }) => name);
    names.forEach((name, index) => {
      if (names.indexOf(name) === index) return;
      context.addIssue({
        code: "custom",
        path: ["networks", index, "name"],
        message: `the name ${name} is taken already`,
      });
    });
    const gateways = profile.networks.filter(({ gateway }) => gateway !== undefined);
    if (gateways.length > 1) {
      context.addIssue({
        code: "custom",
        path: ["networks"],
        message: "only one interface may have the default gateway",
      });
    }
  });

export type Profile = z.infer<typeof profileSchema>;

/** The profile's form for editors: completion, and mistakes marked while they are typed. */
export function profileJsonSchema(): object {
  return z.toJSONSchema(profileSchema, { io: "input" });
}
