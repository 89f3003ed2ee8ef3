/** R29: a rotation never leaves the nodes without a key both accept, in whatever order the steps are asked for. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { type KeyRing, newKey, newKeyRing } from "../src/keys/key-file.js";
import { nextStep } from "../src/keys/rotation.js";

interface Node {
  ring: KeyRing;
  /** Keys its beats were signed with since its start. */
  signed: Set<number>;
}

const ids = (ring: KeyRing) => ring.keys.map(({ id }) => id);

function accepts(node: Node, other: Node): boolean {
  return ids(node.ring).includes(other.ring.signWith);
}

function rotate(node: Node, peer: Node, connected = true): string {
  for (;;) {
    const inUse = connected
      ? { peerAccepts: ids(peer.ring), peerSigns: peer.ring.signWith, peerHasSigned: [...peer.signed] }
      : { peerAccepts: undefined, peerSigns: undefined, peerHasSigned: undefined };
    const step = nextStep(node.ring, inUse, newKey);
    if (step.kind === "waits") return step.why;
    node.ring = step.ring;
    node.signed.add(node.ring.signWith);
    assert.ok(accepts(node, peer) && accepts(peer, node), "each accepts what the other signs");
    if (step.kind !== "signs") return step.kind;
  }
}

/** The id of the key that came last. */
const newest = (node: Node) => node.ring.keys.at(-1)?.id ?? 0;

function pair(): [Node, Node] {
  const ring = newKeyRing();
  return [
    { ring, signed: new Set([ring.signWith]) },
    { ring, signed: new Set([ring.signWith]) },
  ];
}

test("four runs and one copy replace the key on both nodes", () => {
  const [a, b] = pair();
  assert.equal(rotate(a, b), "added");
  assert.match(rotate(a, b), /does not know key \d+ yet/);
  b.ring = a.ring;
  assert.match(rotate(b, a), /other node still signs with key 1/);
  assert.equal(rotate(a, b), "retired");
  // Asked once more too early it would begin anew: the other node still has two.
  assert.match(rotate(a, b), /has key 1, which this one lacks/);
  assert.equal(rotate(b, a), "retired");
  const id = newest(a);
  assert.notEqual(id, 1);
  assert.deepEqual([ids(a.ring), ids(b.ring), a.ring.signWith, b.ring.signWith], [[id], [id], id, id]);
});

test("without the other node nothing is signed anew or removed", () => {
  const [a, b] = pair();
  rotate(a, b);
  assert.match(rotate(a, b, false), /not connected/);
  b.ring = a.ring;
  rotate(b, a);
  assert.match(rotate(b, a, false), /not connected/);
  assert.deepEqual(ids(b.ring), [1, newest(a)]);
});

test("an old key stays until a beat signed with the new one was heard", () => {
  const [a, b] = pair();
  rotate(a, b);
  b.ring = a.ring;
  rotate(b, a);
  b.signed.delete(newest(b));
  assert.match(rotate(a, b), /no beat of the other node signed with key/);
  b.signed.add(newest(b));
  assert.equal(rotate(a, b), "retired");
});
