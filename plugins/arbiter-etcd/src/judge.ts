/**
 * Decides from what is in etcd whether this node may have the grant (rule R30). Pure.
 *
 * etcd's lease alone does not decide. A lease is no part of etcd's log: a leader that was deposed without noticing can
 * prolong it, or end it early (etcd issues 15247, 12528, 13915). So a grant that was not given back counts as running until
 * this node itself has seen it unrenewed for as long as it lasts, by its own clock, whatever became of the lease.
 */

import type { Snapshot } from "./record.js";

export interface Question {
  readonly node: string;
  readonly epoch: number;
  /** How long this node itself has seen the record, or its absence, unchanged. Milliseconds. */
  readonly unchangedMs: number;
  /** The longest grant that this node knows of, milliseconds: the wait where no record says how long another's lasts. */
  readonly ttlMs: number;
  /** This node holds a grant that has not ended. */
  readonly holding: boolean;
}

export type Judgement =
  | { readonly kind: "take" }
  | { readonly kind: "denied"; readonly why: string; readonly seenEpoch: number | undefined };

export function judge({ holder, record }: Snapshot, question: Question): Judgement {
  const seenEpoch = record?.value.epoch;
  const denied = (why: string): Judgement => ({ kind: "denied", why, seenEpoch });
  const wait = (ttlMs: number) => Math.ceil(ttlMs - question.unchangedMs);
  if (record !== undefined) {
    const { epoch, node } = record.value;
    if (epoch > question.epoch)
      return denied(`epoch ${epoch} was granted to ${node} already, which is above ${question.epoch}`);
    if (epoch === question.epoch && node !== question.node)
      return denied(`epoch ${epoch} was granted to ${node} already`);
  }
  if (holder !== undefined && holder.value.node !== question.node)
    return denied(`${holder.value.node} holds the grant with epoch ${holder.value.epoch}`);
  if (record === undefined) {
    // A new etcd, or one that lost its data while a node served with its grant.
    if (question.holding || wait(question.ttlMs) <= 0) return { kind: "take" };
    return denied(
      `etcd knows nothing of this pair; for ${wait(question.ttlMs)} ms more a grant that it forgot may be running`,
    );
  }
  // Our own, perhaps of an earlier node process: the address is nowhere but on this machine, or was removed at start (R6).
  if (record.value.node === question.node || record.value.released) return { kind: "take" };
  if (wait(record.value.ttlMs) <= 0) return { kind: "take" };
  return denied(
    `the grant of ${record.value.node} with epoch ${record.value.epoch} may be running for ${wait(record.value.ttlMs)} ms more`,
  );
}
