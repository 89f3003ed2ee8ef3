/**
 * The requests that read, take, prolong and give back the grant. Each write is one transaction that compares both keys
 * with what was read, so that of two nodes that write at once one has written and the other has changed nothing.
 */

import { anyAnswer, keepAliveAnswer, leaseAnswer, txnAnswer } from "./answers.js";
import type { Members } from "./members.js";
import { checked, Refused } from "./one-call.js";
import { encodeValue, type GrantRecord, type Keys, type Snapshot, snapshotOf } from "./record.js";

export interface Lease {
  readonly id: string;
  /** As etcd granted it, which may be longer than was asked for. */
  readonly ttlMs: number;
  /** This node's clock before the request left that began or prolonged it. */
  readonly sentMs: number;
}

/** Within which time, and until when it is still wanted. */
export interface Limits {
  readonly deadlineMs: number;
  readonly signal: AbortSignal;
}

export type Written =
  | { readonly kind: "written"; readonly snapshot: Snapshot }
  /** Somebody else has written in between, or an earlier request of ours whose answer was lost. */
  | { readonly kind: "changed" }
  | { readonly kind: "lease-gone" };

export interface Grants {
  read(limits: Limits): Promise<Snapshot>;
  newLease(ttlSeconds: number, limits: Limits): Promise<Lease>;
  /** Undefined when etcd says that the lease has ended. */
  prolong(lease: Lease, limits: Limits): Promise<Lease | undefined>;
  take(before: Snapshot, record: GrantRecord, lease: Lease, limits: Limits): Promise<Written>;
  /** Deletes the holder and writes the record in one. */
  giveBack(before: Snapshot, record: GrantRecord, limits: Limits): Promise<Written>;
  revoke(lease: Lease, limits: Limits): Promise<void>;
}

const notFound = 5;

function isNotFound(error: unknown): boolean {
  return error instanceof Refused && error.code === notFound;
}

export function etcdGrants(members: Members, keys: Keys, nowMs: () => number): Grants {
  const call = (path: string, body: unknown, { deadlineMs, signal }: Limits) =>
    members.call(path, body, deadlineMs, signal);

  const unchanged = (before: Snapshot) =>
    (["holder", "record"] as const).map((name) => ({
      target: "MOD",
      result: "EQUAL",
      key: keys.encoded[name],
      // A key that is not there has revision 0.
      mod_revision: String(before[name]?.modRevision ?? 0),
    }));

  async function transact(
    before: Snapshot,
    success: readonly object[],
    limits: Limits,
  ): Promise<number | undefined> {
    const answer = checked(
      txnAnswer,
      await call("/v3/kv/txn", { compare: unchanged(before), success }, limits),
    );
    return answer.succeeded ? answer.header.revision : undefined;
  }

  const put = (name: "holder" | "record", value: object, lease?: Lease) => ({
    request_put: {
      key: keys.encoded[name],
      value: encodeValue(value),
      ...(lease === undefined ? {} : { lease: lease.id }),
    },
  });

  return {
    async read(limits) {
      return snapshotOf(keys, await call("/v3/kv/range", keys.readBoth, limits));
    },
    async newLease(ttlSeconds, limits) {
      const sentMs = nowMs();
      const answer = checked(
        leaseAnswer,
        await call("/v3/lease/grant", { TTL: String(ttlSeconds), ID: "0" }, limits),
      );
      return { id: answer.ID, ttlMs: (answer.TTL ?? 0) * 1000, sentMs };
    },
    async prolong({ id }, limits) {
      const sentMs = nowMs();
      try {
        const { result } = checked(keepAliveAnswer, await call("/v3/lease/keepalive", { ID: id }, limits));
        const seconds = result.TTL ?? 0;
        return seconds > 0 && result.ID === id ? { id, ttlMs: seconds * 1000, sentMs } : undefined;
      } catch (error) {
        if (isNotFound(error)) return undefined;
        throw error;
      }
    },
    async take(before, record, lease, limits) {
      const holder = { node: record.node, epoch: record.epoch };
      try {
        const revision = await transact(
          before,
          [put("holder", holder, lease), put("record", record)],
          limits,
        );
        if (revision === undefined) return { kind: "changed" };
        const stored = { modRevision: revision };
        const snapshot = { holder: { ...stored, value: holder }, record: { ...stored, value: record } };
        return { kind: "written", snapshot };
      } catch (error) {
        if (isNotFound(error)) return { kind: "lease-gone" };
        throw error;
      }
    },
    async giveBack(before, record, limits) {
      const remove = { request_delete_range: { key: keys.encoded.holder } };
      const revision = await transact(before, [remove, put("record", record)], limits);
      if (revision === undefined) return { kind: "changed" };
      return {
        kind: "written",
        snapshot: { holder: undefined, record: { modRevision: revision, value: record } },
      };
    },
    async revoke({ id }, limits) {
      try {
        checked(anyAnswer, await call("/v3/lease/revoke", { ID: id }, limits));
      } catch (error) {
        if (!isNotFound(error)) throw error;
      }
    },
  };
}
