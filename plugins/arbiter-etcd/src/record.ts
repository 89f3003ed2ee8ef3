/**
 * The two keys in etcd and what they hold. `holder` hangs on a lease and goes with it; `record` stays for ever: it keeps
 * the highest epoch ever granted, and whose grant may still be running.
 */

import { z } from "@understudy/core/public";
import { type KeyValue, rangeAnswer } from "./answers.js";
import { checked, NoAnswer, oneLine } from "./one-call.js";

const recordValue = z.looseObject({
  epoch: z.int().min(0),
  node: z.string(),
  /** How long the grant lasts from its last renewal, milliseconds: whoever wants it next waits that long. */
  ttlMs: z.number().min(0).max(3_600_000),
  /** The node said that it serves no more. */
  released: z.boolean(),
});
export type GrantRecord = z.infer<typeof recordValue>;

const holderValue = z.looseObject({ epoch: z.int().min(0), node: z.string() });
export type Holder = z.infer<typeof holderValue>;

interface Stored<T> {
  /** Changes with every write of the key, and is compared in the transaction that writes next. */
  readonly modRevision: number;
  readonly value: T;
}

/** Both keys as they were at one moment. */
export interface Snapshot {
  readonly holder: Stored<Holder> | undefined;
  readonly record: Stored<GrantRecord> | undefined;
}

export interface Keys {
  readonly holder: string;
  readonly record: string;
  /** Base64, as the gateway wants them. */
  readonly encoded: { readonly holder: string; readonly record: string };
  /** Reads both keys at once, from the majority: `serializable` would ask one member alone. */
  readonly readBoth: object;
}

const base64 = (text: string) => Buffer.from(text, "utf8").toString("base64");
const text = (encoded: string) => Buffer.from(encoded, "base64").toString("utf8");

export function keysOf(prefix: string, cluster: string): Keys {
  const folder = `${prefix}/${cluster}/`;
  const holder = `${folder}holder`;
  const record = `${folder}record`;
  return {
    holder,
    record,
    encoded: { holder: base64(holder), record: base64(record) },
    // "0" is the character after "/": everything in the folder.
    readBoth: { key: base64(folder), range_end: base64(`${folder.slice(0, -1)}0`), serializable: false },
  };
}

export function encodeValue(value: object): string {
  return base64(JSON.stringify(value));
}

/** Of the answer to `readBoth`. Rejects what this program did not write: on that nothing can be granted. */
export function snapshotOf(keys: Keys, body: unknown): Snapshot {
  const { kvs } = checked(rangeAnswer, body);
  const find = (encoded: string) => kvs.find(({ key }) => key === encoded);
  return {
    holder: stored(keys.holder, holderValue, find(keys.encoded.holder)),
    record: stored(keys.record, recordValue, find(keys.encoded.record)),
  };
}

function stored<T>(key: string, schema: z.ZodType<T>, found: KeyValue | undefined): Stored<T> | undefined {
  if (found === undefined) return undefined;
  const raw = text(found.value);
  let json: unknown;
  try {
    json = JSON.parse(raw);
  } catch {
    json = undefined;
  }
  const value = schema.safeParse(json);
  if (!value.success) throw new NoAnswer(`the key ${key} holds what no node wrote: "${oneLine(raw, 60)}"`);
  return { modRevision: found.mod_revision, value: value.data };
}
