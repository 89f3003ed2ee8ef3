/**
 * An ordered index from a 32-bit key to row numbers, twelve bytes an entry: what finds a row without a B-tree on the
 * disk. Every change of such a B-tree would dirty a page of its own in each commit; measured, that was four fifths of
 * the cost of a create in a database of 400,000 rows.
 */

/** An entry added moves a half of so many: small blocks, of which a million entries still make a short list. */
const blockCapacity = 128;

interface Block {
  readonly keys: Uint32Array;
  readonly rows: Float64Array;
  count: number;
}

export interface KeyedRows {
  /** Entries with equal keys are kept, in no order. */
  add(key: number, row: number): void;
  /** Returns false when there was no such entry. */
  remove(key: number, row: number): boolean;
  /** The rows under this key; mostly none or one. */
  find(key: number): readonly number[];
  /** Entries from this key upwards, in the order of their keys. Not to be continued after a change. */
  walk(fromKey: number): Generator<{ readonly key: number; readonly row: number }>;
  readonly size: number;
}

const none: readonly number[] = [];

function newBlock(): Block {
  return { keys: new Uint32Array(blockCapacity), rows: new Float64Array(blockCapacity), count: 0 };
}

/** Where the first entry not below `key` is, or would be. */
function lowerBound(block: Block, key: number): number {
  let low = 0;
  let high = block.count;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((block.keys[middle] as number) < key) low = middle + 1;
    else high = middle;
  }
  return low;
}

function insert(block: Block, at: number, key: number, row: number): void {
  block.keys.copyWithin(at + 1, at, block.count);
  block.rows.copyWithin(at + 1, at, block.count);
  block.keys[at] = key;
  block.rows[at] = row;
  block.count += 1;
}

function splitOff(block: Block): Block {
  const right = newBlock();
  const half = block.count >> 1;
  right.keys.set(block.keys.subarray(half, block.count));
  right.rows.set(block.rows.subarray(half, block.count));
  right.count = block.count - half;
  block.count = half;
  return right;
}

/** Starts with the given entries, which may be in any order: several times faster than adding one after the other. */
export function createKeyedRows(entries: {
  readonly keys: Uint32Array;
  readonly rows: Float64Array;
}): KeyedRows {
  const blocks = blocksOf(entries.keys, entries.rows);
  /** The lowest key of each block. */
  const firsts = blocks.map((block) => block.keys[0] as number);
  let size = entries.keys.length;

  /** The last block that begins below `key`: the first that can hold it. */
  function blockFor(key: number): number {
    let low = 0;
    let high = firsts.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((firsts[middle] as number) < key) low = middle + 1;
      else high = middle;
    }
    return Math.max(0, low - 1);
  }

  function add(key: number, row: number): void {
    let number = blockFor(key);
    let block = blocks[number] as Block;
    let at = lowerBound(block, key);
    if (block.count === blockCapacity) {
      const right = splitOff(block);
      blocks.splice(number + 1, 0, right);
      firsts.splice(number + 1, 0, right.keys[0] as number);
      if (at > block.count) {
        at -= block.count;
        block = right;
        number += 1;
      }
    }
    insert(block, at, key, row);
    if (at === 0) firsts[number] = key;
    size += 1;
  }

  function remove(key: number, row: number): boolean {
    for (let number = blockFor(key); number < blocks.length; number += 1) {
      const block = blocks[number] as Block;
      for (let at = lowerBound(block, key); at < block.count; at += 1) {
        if (block.keys[at] !== key) return false;
        if (block.rows[at] !== row) continue;
        take(number, block, at);
        return true;
      }
    }
    return false;
  }

  function take(number: number, block: Block, at: number): void {
    block.keys.copyWithin(at, at + 1, block.count);
    block.rows.copyWithin(at, at + 1, block.count);
    block.count -= 1;
    size -= 1;
    if (block.count === 0 && blocks.length > 1) {
      blocks.splice(number, 1);
      firsts.splice(number, 1);
    } else if (at === 0) firsts[number] = block.keys[0] as number;
  }

  function find(key: number): readonly number[] {
    let found: number[] | undefined;
    for (let number = blockFor(key); number < blocks.length; number += 1) {
      const block = blocks[number] as Block;
      for (let at = lowerBound(block, key); at < block.count; at += 1) {
        if (block.keys[at] !== key) return found ?? none;
        found ??= [];
        found.push(block.rows[at] as number);
      }
    }
    return found ?? none;
  }

  function* walk(fromKey: number): Generator<{ readonly key: number; readonly row: number }> {
    for (let number = blockFor(fromKey); number < blocks.length; number += 1) {
      const block = blocks[number] as Block;
      for (let at = lowerBound(block, fromKey); at < block.count; at += 1) {
        yield { key: block.keys[at] as number, row: block.rows[at] as number };
      }
    }
  }

  return {
    add,
    remove,
    find,
    walk,
    get size() {
      return size;
    },
  };
}

function blocksOf(keys: Uint32Array, rows: Float64Array): Block[] {
  const blocks = [newBlock()];
  const filledTo = Math.floor(blockCapacity * 0.75);
  for (const place of sortedPlaces(keys)) {
    let block = blocks.at(-1) as Block;
    if (block.count === filledTo) {
      block = newBlock();
      blocks.push(block);
    }
    block.keys[block.count] = keys[place] as number;
    block.rows[block.count] = rows[place] as number;
    block.count += 1;
  }
  return blocks;
}

/** A double holds 53 bits without loss: 32 for the key, the rest for the place in the input. */
const placeBits = 21;

/**
 * The places of the keys in ascending order of the keys. Sorting plain doubles is a tenth of sorting by a comparison;
 * where there are too many places for that, the lowest bits of the keys are left to a pass over neighbours.
 */
function sortedPlaces(keys: Uint32Array): Float64Array {
  const places = 2 ** Math.max(placeBits, Math.ceil(Math.log2(keys.length)));
  const leftOut = 2 ** (Math.log2(places) - placeBits);
  const sorted = new Float64Array(keys.length);
  for (let at = 0; at < sorted.length; at += 1) {
    sorted[at] = Math.floor((keys[at] as number) / leftOut) * places + at;
  }
  sorted.sort();
  for (let at = 0; at < sorted.length; at += 1) sorted[at] = (sorted[at] as number) % places;
  if (leftOut > 1) sortNeighbours(sorted, keys);
  return sorted;
}

function sortNeighbours(places: Float64Array, keys: Uint32Array): void {
  for (let at = 1; at < places.length; at += 1) {
    const place = places[at] as number;
    const key = keys[place] as number;
    let to = at;
    for (; to > 0 && (keys[places[to - 1] as number] as number) > key; to -= 1) {
      places[to] = places[to - 1] as number;
    }
    places[to] = place;
  }
}
