/**
 * The texts of a session as they are kept: one after the other in one column, with the numbers that cut them apart in
 * another. Each text of its own would cost a conversion and a copy more, in every create on both nodes.
 */

import { crc32 } from "node:zlib";

export interface RowTexts {
  readonly id: string;
  readonly user: string;
  readonly createdAt: string;
  readonly attributes: string;
}

const idBits = 10;
const userBits = 30;
const createdBits = 10;
const [mostId, mostUser, mostCreated] = [2 ** idBits, 2 ** userBits, 2 ** createdBits];

/** The lengths of all but the last, in characters, as one number of 50 bits. */
export function cutsOf({ id, user, createdAt }: RowTexts): number {
  if (id.length >= mostId || user.length >= mostUser || createdAt.length >= mostCreated) {
    throw new RangeError("an id, a user or a time longer than any session has");
  }
  return (user.length * mostCreated + createdAt.length) * mostId + id.length;
}

export function joined({ id, user, createdAt, attributes }: RowTexts): string {
  return id + user + createdAt + attributes;
}

/** The counterpart of `joined`; of a damaged pair of text and cuts, something that its proof will not match. */
export function cutApart(texts: string, cuts: number): RowTexts {
  const idEnd = cuts % mostId;
  const lengths = Math.floor(cuts / mostId);
  const userEnd = idEnd + Math.floor(lengths / mostCreated);
  const createdEnd = userEnd + (lengths % mostCreated);
  return {
    id: texts.slice(0, idEnd),
    user: texts.slice(idEnd, userEnd),
    createdAt: texts.slice(userEnd, createdEnd),
    attributes: texts.slice(createdEnd),
  };
}

export interface RowNumbers {
  readonly place: number;
  readonly userKey: number;
  readonly epoch: number;
  readonly origin: number;
  readonly sequence: number;
  readonly cuts: number;
}

/** Checks at 32 bits that all of a row is as it was written; names of agents and origins have checks of their own. */
export function proofOf(texts: string, numbers: RowNumbers): number {
  let seed = mix(0x9e3779b9, numbers.place);
  seed = mix(seed, numbers.userKey);
  seed = mix(seed, numbers.epoch);
  seed = mix(seed, numbers.origin);
  seed = mix(seed, numbers.sequence);
  seed = mix(seed, numbers.cuts);
  return crc32(texts, seed >>> 0);
}

/** Both halves of a number below 2^53; every step can be undone, so one number that differs is never lost. */
function mix(seed: number, number: number): number {
  const low = Math.imul(seed ^ (number | 0), 0x85ebca6b);
  const mixed = Math.imul((low ^ (low >>> 15)) + Math.floor(number / 2 ** 32), 0xc2b2ae35);
  return mixed ^ (mixed >>> 13);
}
