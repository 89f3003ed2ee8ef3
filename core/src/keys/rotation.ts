/**
 * The steps of a key rotation without an outage (rule R29): the new key is accepted by both nodes before either signs
 * with it, and the old one goes only after both have signed with the new one. Pure: decides the next step from what is
 * in the file and what both running nodes say.
 */

import { freeKeyId, type Key, type KeyRing } from "./key-file.js";

/** What the running nodes say; ids of keys. */
export interface KeysInUse {
  /** Accepted by the other node; undefined while it is not connected. */
  readonly peerAccepts: readonly number[] | undefined;
  readonly peerSigns: number | undefined;
  /** The other node's pulse has signed beats with these since it started; undefined when that is not known. */
  readonly peerHasSigned: readonly number[] | undefined;
}

export type RotationStep =
  /** A new key is in the ring and signs nothing yet. */
  | { readonly kind: "added"; readonly ring: KeyRing; readonly id: number }
  /** This node signs with the new key from now on. */
  | { readonly kind: "signs"; readonly ring: KeyRing; readonly id: number }
  /** The old keys are gone. */
  | { readonly kind: "retired"; readonly ring: KeyRing; readonly ids: readonly number[] }
  | { readonly kind: "waits"; readonly why: string; readonly todo: string };

/** The step that may be taken now. `makeKey` is given a free id. */
export function nextStep(ring: KeyRing, inUse: KeysInUse, makeKey: (id: number) => Key): RotationStep {
  const newest = newestOf(ring);
  if (ring.keys.length === 1) {
    const foreign = inUse.peerAccepts?.filter((id) => id !== newest.id) ?? [];
    if (foreign.length > 0) {
      const todo =
        "If it is an old key, run `understudy key rotate` there first; if it is a new one, copy its key file here.";
      return {
        kind: "waits",
        why: `the other node has key ${foreign.join(", ")}, which this one lacks`,
        todo,
      };
    }
    const id = freeKeyId(ring);
    return { kind: "added", id, ring: { keys: [...ring.keys, makeKey(id)], signWith: ring.signWith } };
  }
  if (ring.signWith !== newest.id) {
    if (inUse.peerAccepts?.includes(newest.id) === true) {
      return { kind: "signs", id: newest.id, ring: { ...ring, signWith: newest.id } };
    }
    const copy =
      "Copy the key file to the other node and run `understudy key rotate` there, then here again.";
    if (inUse.peerAccepts === undefined)
      return { kind: "waits", why: "the other node is not connected", todo: copy };
    return { kind: "waits", why: `the other node does not know key ${newest.id} yet`, todo: copy };
  }
  if (inUse.peerSigns !== newest.id) {
    const todo = "Run `understudy key rotate` on the other node, then here again.";
    if (inUse.peerSigns === undefined) return { kind: "waits", why: "the other node is not connected", todo };
    return { kind: "waits", why: `the other node still signs with key ${inUse.peerSigns}`, todo };
  }
  if (inUse.peerHasSigned?.includes(newest.id) !== true) {
    const why = `no beat of the other node signed with key ${newest.id} was heard yet`;
    return {
      kind: "waits",
      why,
      todo: "See that pulse runs on both nodes, then run `understudy key rotate` again.",
    };
  }
  const ids = ring.keys.filter(({ id }) => id !== newest.id).map(({ id }) => id);
  return { kind: "retired", ids, ring: { keys: [newest], signWith: newest.id } };
}

/** The last of the file: a key is always added at the end. */
function newestOf(ring: KeyRing): Key {
  const newest = ring.keys.at(-1);
  if (newest === undefined) throw new Error("a key ring without a key got past its schema");
  return newest;
}
