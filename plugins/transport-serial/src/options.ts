/**
 * What a person may write for a serial path. The same file serves both nodes, so a device that is called differently on
 * the two is written for both, by side.
 */

import { duration, z } from "@understudy/core/public";
import { baudFor, baudRates, beatBytesOnLine, bytesTakeMs, shortestIntervalMs } from "./line-rate.js";

const device = z
  .string()
  .max(255, "must have at most 255 characters")
  .regex(/^\/\S+$/, "must be the whole path of a serial device, such as /dev/ttyS0");

const minute = 60_000;

export const serialOptions = z
  .strictObject({
    device: z
      .union([device, z.strictObject({ primary: device, secondary: device })])
      .describe(
        "The serial device: one path, or { primary, secondary } where the nodes call it differently. For a USB adapter " +
          "its path under /dev/serial/by-id, which stays the same.",
      ),
    baud: z
      .int()
      .refine((rate) => baudRates.some((known) => known === rate), {
        message: `must be one of ${baudRates.join(", ")}`,
      })
      .default(115_200)
      .describe(
        "Bits a second, equal on both nodes. The faster, the more often beats can be sent: every 12 ms at 115200, every " +
          "136 ms at 9600.",
      ),
    interval: duration({ min: 1, max: minute })
      .optional()
      .describe(
        "The shortest time between two beats on this line. Default: what the baud rate carries, 80 % used.",
      ),
  })
  .superRefine(({ baud, interval }, context) => {
    if (interval === undefined || interval >= shortestIntervalMs(baud)) return;
    context.addIssue({
      code: "custom",
      path: ["interval"],
      message: tooShort(baud, interval),
      input: interval,
    });
  })
  .describe("Heartbeats over a serial line: a null-modem cable between the two nodes.");

export type SerialOptions = z.infer<typeof serialOptions>;

function tooShort(baud: number, intervalMs: number): string {
  const takes = bytesTakeMs(beatBytesOnLine, baud);
  const faster = baudFor(intervalMs);
  const instead = faster === undefined ? "" : `, or baud: ${faster}`;
  return (
    `is shorter than the line carries: a beat is ${beatBytesOnLine} bytes, ${takes < 10 ? takes.toFixed(1) : Math.round(takes)} ms ` +
    `at ${baud} baud; ${shortestIntervalMs(baud)} ms or more fits${instead}`
  );
}
