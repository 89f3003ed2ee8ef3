/**
 * What etcd answers over its JSON gateway, as far as it is used, and nothing believed that does not look like it. 64-bit
 * numbers are text there, and fields with their zero value are left out.
 */

import { z } from "@understudy/core/public";

const whole = z.string().regex(/^-?\d{1,20}$/);
/** Revisions and times to live: beyond 2^53 they could not be compared, and no etcd gets there. */
const countable = z
  .union([whole, z.int().transform(String)])
  .transform(Number)
  .pipe(z.int());

const header = z.looseObject({ cluster_id: whole, revision: countable.optional() });

/** Every answer names its cluster: two clusters behind one list of endpoints would grant twice. */
export const anyAnswer = z.looseObject({ header });

export const leaseAnswer = z.looseObject({ header, ID: whole, TTL: countable.optional() });

/** The gateway wraps what comes in a stream. */
export const keepAliveAnswer = z.looseObject({ result: leaseAnswer });

const pair = z.looseObject({ key: z.base64(), value: z.base64().default(""), mod_revision: countable });
export type KeyValue = z.infer<typeof pair>;

const range = z.looseObject({ kvs: z.array(pair).default([]) });

export const rangeAnswer = range.extend({ header });

export const txnAnswer = z.looseObject({
  header: header.extend({ revision: countable }),
  succeeded: z.boolean().default(false),
  responses: z.array(z.looseObject({ response_range: range.optional() })).default([]),
});

export const loginAnswer = z.looseObject({ header, token: z.string().min(1).max(10_000) });

/** An error: unary calls say `{code, message}`, streams `{error: {grpc_code, message}}`. Codes are those of gRPC. */
const unaryError = z.looseObject({
  code: z.int(),
  message: z.string().optional(),
  error: z.string().optional(),
});
const streamError = z.looseObject({
  error: z.looseObject({
    grpc_code: z.int().optional(),
    code: z.int().optional(),
    message: z.string().default(""),
  }),
});

export interface EtcdRefusal {
  readonly code: number;
  readonly text: string;
}

/** What etcd refused, undefined when this is no error of etcd. */
export function refusalIn(body: unknown): EtcdRefusal | undefined {
  const unary = unaryError.safeParse(body);
  if (unary.success)
    return { code: unary.data.code, text: unary.data.message ?? unary.data.error ?? "no reason given" };
  const stream = streamError.safeParse(body);
  if (!stream.success) return undefined;
  const { grpc_code, code, message } = stream.data.error;
  return { code: grpc_code ?? code ?? 2, text: message };
}
