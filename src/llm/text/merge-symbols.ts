// Byte pair encoding proper: merges neighbouring symbols, lowest rank first, of equal ranks the leftmost, until none merges.

import type { PairTable } from './pair-table.ts';

/** A symbol that merges with nothing. */
export const noSymbol: number = -1;

/** Up to this many symbols a scan for the lowest rank beats a heap: the usual word has fewer than ten. */
const shortWord = 24;

/**
 * @param symbols - shape (n,), n < 2²⁷; merged in place
 * @param starts - shape (n,), where each symbol's text starts; entries of symbols that were merged away are dropped along
 * @returns how many symbols are left, at the head of both arrays
 *
 * Time O(n log n), memory O(n).
 */
export function mergeSymbols(table: PairTable, symbols: Int32Array, starts: Int32Array): number {
  return symbols.length <= shortWord
    ? mergeByScan(table, symbols, starts)
    : mergeByHeap(table, symbols, starts);
}

function mergeByScan(table: PairTable, symbols: Int32Array, starts: Int32Array): number {
  let count = symbols.length;
  for (;;) {
    let best = -1;
    let bestRank = Infinity;
    let bestSlot = 0;
    for (let i = 0; i + 1 < count; i++) {
      const slot = findMerge(table, symbols[i], symbols[i + 1]);
      if (slot < 0) continue;
      const rank = table.rank(slot);
      if (rank < bestRank) [best, bestRank, bestSlot] = [i, rank, slot];
    }
    if (best < 0) return count;
    symbols[best] = table.result(bestSlot);
    symbols.copyWithin(best + 1, best + 2, count);
    starts.copyWithin(best + 1, best + 2, count);
    count--;
  }
}

function mergeByHeap(table: PairTable, symbols: Int32Array, starts: Int32Array): number {
  const count = symbols.length;
  const next = Int32Array.from({ length: count }, (_, i) => i + 1);
  const previous = Int32Array.from({ length: count }, (_, i) => i - 1);
  /** Slot of the merge of each living symbol with its right neighbour, −1 for none. */
  const slots = new Int32Array(count).fill(-1);
  const heap = new KeyHeap(2 * count);

  const offer = (i: number): void => {
    slots[i] = next[i] < count ? findMerge(table, symbols[i], symbols[next[i]]) : -1;
    // Rank above place: the heap's order is that of the merges. 2²⁴ ranks and 2²⁷ places fit a float64 exactly.
    if (slots[i] >= 0) heap.push(table.rank(slots[i]) * 0x8000000 + i);
  };
  for (let i = 0; i + 1 < count; i++) offer(i);

  while (heap.size > 0) {
    const key = heap.pop();
    const i = key % 0x8000000;
    // Out of date: one of the two was merged meanwhile, and what stands here now was offered anew.
    if (slots[i] < 0 || table.rank(slots[i]) !== (key - i) / 0x8000000) continue;
    const gone = next[i];
    symbols[i] = table.result(slots[i]);
    slots[gone] = -1;
    next[i] = next[gone];
    if (next[i] < count) previous[next[i]] = i;
    offer(i);
    if (previous[i] >= 0) offer(previous[i]);
  }

  let left = 0;
  for (let i = 0; i < count; i = next[i]) {
    symbols[left] = symbols[i];
    starts[left++] = starts[i];
  }
  return left;
}

function findMerge(table: PairTable, left: number, right: number): number {
  if (left === noSymbol || right === noSymbol) return -1;
  const slot = table.find(left, right);
  return table.rank(slot) < 0 ? -1 : slot;
}

/** The smallest of many numbers, over and over. */
class KeyHeap {
  size = 0;
  private keys: Float64Array;

  constructor(capacity: number) {
    this.keys = new Float64Array(Math.max(1, capacity));
  }

  push(key: number): void {
    if (this.size === this.keys.length) {
      const grown = new Float64Array(2 * this.size);
      grown.set(this.keys);
      this.keys = grown;
    }
    const { keys } = this;
    let at = this.size++;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (keys[parent] <= key) break;
      keys[at] = keys[parent];
      at = parent;
    }
    keys[at] = key;
  }

  pop(): number {
    const { keys } = this;
    const smallest = keys[0];
    const moving = keys[--this.size];
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= this.size) break;
      if (child + 1 < this.size && keys[child + 1] < keys[child]) child++;
      if (keys[child] >= moving) break;
      keys[at] = keys[child];
      at = child;
    }
    keys[at] = moving;
    return smallest;
  }
}
