/**
 * What the two node processes say to each other over the node link: JSON objects, each with the protocol's version and a
 * type. Types and fields that this version does not know are passed over, so that nodes can be upgraded one at a time.
 */

import { z } from "zod";
import { mostEpoch } from "../failover/epochs.js";
import { tokenRecordSchema } from "./token-set.js";

export const nodeLinkVersion = 1;

const epoch = z.int().min(0).max(mostEpoch);
const id = z.int().min(0);
const ms = z.number();

const messageSchema = z.discriminatedUnion("type", [
  /** First of all, from both. */
  z.object({
    type: z.literal("hello"),
    node: z.string(),
    version: z.string(),
    boot: z.string(),
    configDigest: z.string(),
  }),
  /** R29: which keys the sender can verify, and with which it has signed since its start. */
  z.object({ type: z.literal("keys"), ids: z.array(z.int()), signWith: z.int() }),
  /** R9: whether your pulse is active. */
  z.object({ type: z.literal("roleQuestion"), id }),
  /** `known` is false when pulse is not there or has not spoken lately. */
  z.object({ type: z.literal("roleAnswer"), id, known: z.boolean(), active: z.boolean(), epoch }),
  /** R12: the sender's pulse died holding the address with this epoch, and the kernel confirmed that it is gone. */
  z.object({ type: z.literal("goodbye"), epoch }),
  z.object({ type: z.literal("clockQuestion"), id, sentMs: ms }),
  z.object({ type: z.literal("clockAnswer"), id, sentMs: ms, atMs: ms }),
  z.object({ type: z.literal("timelineQuestion"), id, limit: z.int().min(1) }),
  z.object({ type: z.literal("timelineAnswer"), id, entries: z.array(z.unknown()) }),
  /** The whole set, at the start and at every change. */
  z.object({ type: z.literal("tokens"), tokens: z.array(tokenRecordSchema) }),
]);

export type NodeLinkMessage = z.infer<typeof messageSchema>;

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true });

export function encodeNodeLinkMessage(message: NodeLinkMessage): Uint8Array {
  return encoder.encode(JSON.stringify({ v: nodeLinkVersion, ...message }));
}

/** Undefined for what this version cannot read. */
export function decodeNodeLinkMessage(bytes: Uint8Array): NodeLinkMessage | undefined {
  try {
    const parsed = messageSchema.safeParse(JSON.parse(decoder.decode(bytes)));
    return parsed.success ? parsed.data : undefined;
  } catch {
    return undefined;
  }
}
